/** Imports a peer by its name. It stands here because a bare name is looked up beside the file that says it. */
export const importPeer = (name) => import(name)
