import '../io/required.ts';
import { runWitness } from '../app/witness.ts';
import { asProgram } from './program.ts';

void asProgram().then(() => runWitness(process.argv.slice(2)));
