// A server that knows one entity tag and answers 304 to whoever has it: what Node itself takes for such an answer.
// Usage: node bench/cloud/bare-server.js <etag>
import { createServer } from "node:http";

const [etag = ""] = process.argv.slice(2);
const server = createServer((request, response) => {
  response.writeHead(request.headers["if-none-match"] === etag ? 304 : 404, { ETag: etag });
  response.end();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`{"url":"http://127.0.0.1:${address?.port}"}`);
});
