import { startLightly } from '../io/compiler.ts';
import { asChild } from './child.ts';

asChild();
startLightly();
void import('../app/sync/process.ts').then(({ runSync }) => runSync());
