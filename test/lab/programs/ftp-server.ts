import { type AddressInfo, createServer, type Socket } from 'node:net';

/**
 * As much of an FTP server as passive transfers need: `ftp-server NAME PORT`. It greets with its name; `PASV` says
 * where the data connection is taken (RFC 959), and what is read there is the name.
 */
const [name = '', port] = process.argv.slice(2);

/** The six numbers of an address and a port. */
const sixNumbers = (address: string, port: number): string =>
  [...address.replace(/^::ffff:/, '').split('.'), port >> 8, port & 0xff].join(',');

/** Opens a port for one data connection, and tells it. */
function passive(control: Socket): void {
  const data = createServer((socket) => {
    data.close();
    socket.on('error', () => socket.destroy());
    socket.end(`${name}\n`);
  });
  data.listen(0, () => {
    const where = sixNumbers(control.localAddress ?? '', (data.address() as AddressInfo).port);
    control.write(`227 Entering Passive Mode (${where}).\r\n`);
  });
}

createServer((control) => {
  control.on('error', () => control.destroy());
  control.on('data', (line) => {
    if (line.toString().startsWith('PASV')) passive(control);
    else control.write('502 not here\r\n');
  });
  control.write(`220 ${name}\r\n`);
}).listen(Number(port), () => console.log(`${name} listens`));
