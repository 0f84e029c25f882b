/** What is used of the official SDK. The build replaces this file by its bundle: the package depends on none at run time. */
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
