/** What is used of the official SDK. The build puts this file's bundle in its place, so that whoever installs this package installs none. */
export {
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type JsonSchemaType,
  type jsonSchemaValidator,
  type ServerContext,
} from '@modelcontextprotocol/server'
export { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
