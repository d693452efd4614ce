/**
 * The words of one line that `-R` reads: split at blanks, tabs and carriage returns, without quoting. The word
 * `ipvsadm` is left out wherever it stands, as ipvsadm does, and `lvsadm` likewise.
 */
export function restoreWords(line: string): string[] {
  return line.split(/[ \t\r]+/).filter((word) => word !== '' && word !== 'ipvsadm' && word !== 'lvsadm');
}
