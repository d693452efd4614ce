import '../io/required.ts';
import { restoreTable } from '../app/lvsadm/files.ts';
import { main } from '../app/lvsadm/lvsadm.ts';

void main(process.argv, restoreTable);
