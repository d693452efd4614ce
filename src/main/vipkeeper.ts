import '../io/required.ts';
import { runCli } from '../app/operator/cli.ts';
import { asProgram } from './program.ts';

void asProgram().then(() => runCli(process.argv.slice(2)));
