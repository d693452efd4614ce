import { asChild } from './child.ts';

asChild();
void import('../app/vrrp/process.ts').then(({ runVrrp }) => runVrrp());
