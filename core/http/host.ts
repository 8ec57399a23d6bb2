// RFC 3986 section 3.2.2 without the comma: a list of hosts is what a careless proxy makes of two Host headers.
const REGISTERED_NAME = String.raw`(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+`
const IP_LITERAL = String.raw`\[(?:[0-9A-Fa-f:.]+|v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]`
const HOST = new RegExp(`^(?:${REGISTERED_NAME}|${IP_LITERAL})(?::[0-9]{0,5})?$`)

/** Whether `value` is `uri-host [ ":" port ]` (RFC 9110 section 7.2): no userinfo, path, blanks or list. */
export function isHost(value: string): boolean {
  return HOST.test(value)
}
