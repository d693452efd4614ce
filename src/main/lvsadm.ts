import '../io/required.ts';
import { main } from '../app/lvsadm/lvsadm.ts';

void main(process.argv);
