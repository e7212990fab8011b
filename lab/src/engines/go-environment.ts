/** What `go install` needs of this process' environment: the user's own settings of Go, and the way to the module proxy. */
import { childEnvironment } from "../util/run-command.ts";

export function goEnvironment(): Record<string, string> {
  const wanted =
    /^(GO[A-Z0-9]*|CGO_ENABLED|SSL_CERT_(FILE|DIR)|XDG_CACHE_HOME|LOCALAPPDATA|(https?|no|all)_proxy)$/i;
  const own = Object.entries(process.env).filter(([name]) => wanted.test(name));
  return { ...childEnvironment(process.env), ...(Object.fromEntries(own) as Record<string, string>) };
}
