/** What the system says when it has too little of something, or a file system does not take anything now. */
const PASSING: readonly unknown[] = [
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ENOBUFS', 'ENOSPC', 'EDQUOT'],
  ...['EROFS', 'EIO', 'ESTALE', 'EPERM', 'EACCES', 'ETIMEDOUT'],
];

/**
 * Whether an error's code tells of trouble that may pass: of disks, descriptors or memory, and not of a defect here. It
 * costs what was to be done, and no process.
 */
export const mayPass = (code: unknown): boolean => PASSING.includes(code);
