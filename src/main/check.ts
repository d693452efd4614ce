import { startLightly } from '../io/compiler.ts';
import { asChild } from './child.ts';

asChild();
startLightly();
void import('../app/check/process.ts').then(({ runCheckProcess }) => runCheckProcess());
