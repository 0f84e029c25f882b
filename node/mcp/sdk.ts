/** What is used of the official SDK. The build puts this file's bundle in its place, so that whoever installs this package installs none. */
export {
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type InputRequiredResult,
  type JsonSchemaType,
  type jsonSchemaValidator,
  type ServerContext,
} from '@modelcontextprotocol/server'
export { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
