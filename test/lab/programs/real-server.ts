import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';

/**
 * A real server: `real-server NAME ECHO_PORT HTTP_PORT`. On the echo port it says its name in one line and
 * sends back every byte; by UDP it answers each datagram there with its name; over HTTP its name is the page. Listens
 * on IPv4 and IPv6.
 */
const [name = '', echoPort, httpPort] = process.argv.slice(2);

const echo = createServer({ noDelay: true }, (socket) => {
  socket.write(`${name}\n`);
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
const http = createHttpServer((request, response) => {
  response.setHeader('connection', 'close');
  if (request.url === '/') response.end(`${name}\n`);
  else response.writeHead(404).end();
});
const datagrams = createSocket({ type: 'udp6' });
datagrams.on('message', (_, { port, address }) => datagrams.send(name, port, address));

echo.listen({ port: Number(echoPort), backlog: 1024 }, () => {
  http.listen({ port: Number(httpPort), backlog: 1024 }, () =>
    datagrams.bind(Number(echoPort), () => console.log(`${name} listens`)),
  );
});
