/** A program that is built from the Go module proxy when it is found nowhere else. */
export interface GoRecipe {
  readonly module: string;
  /** Pinned: the same source on every machine. */
  readonly version: string;
  /** The package with the `main` function. */
  readonly mainPackage: string;
  /** `old module` to `new module version`: the `replace` lines that the module's own go.mod has and that a dependent must repeat. */
  readonly replace: Readonly<Record<string, string>>;
  /** What a person should expect on two cores with nothing cached. */
  readonly expect: string;
}

/** The Go programs of the stack and its samples, by the name of their executable. */
export const goRecipes = {
  "nats-server": {
    module: "github.com/nats-io/nats-server/v2",
    version: "v2.15.2",
    mainPackage: "github.com/nats-io/nats-server/v2",
    replace: {},
    expect: "about 15 s",
  },
  // v3.7 does not build this way: one of its replaced packages is not a module of its own.
  traefik: {
    module: "github.com/traefik/traefik/v3",
    version: "v3.6.13",
    mainPackage: "github.com/traefik/traefik/v3/cmd/traefik",
    replace: {
      "github.com/abbot/go-http-auth": "github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e",
      "github.com/gorilla/mux": "github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59",
      "github.com/mailgun/minheap": "github.com/containous/minheap v0.0.0-20190809180810-6e71eb837595",
    },
    expect: "about 5 minutes",
  },
  "go-httpbin": {
    module: "github.com/mccutchen/go-httpbin/v2",
    version: "v2.26.0",
    mainPackage: "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin",
    replace: {},
    expect: "about 15 s",
  },
} as const satisfies Readonly<Record<string, GoRecipe>>;

/** A program that {@link goRecipes} can build. */
export type GoProgram = keyof typeof goRecipes;
