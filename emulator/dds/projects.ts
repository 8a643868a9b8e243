/** The projects of the emulated cloud: who may use each, and what DDS remembers of it. */
import type { Credentials, User } from './credentials.ts';
import type { Instance, SeededBackup } from './records.ts';
import { createState, type State, type StateOptions } from './state.ts';

export interface ProjectSetup {
  readonly id: string;
  /** By which a token can be scoped to it; default: its id. */
  readonly name?: string;
  /** Access keys; one with a `securityToken` is a temporary one. */
  readonly credentials?: readonly Credentials[];
  readonly users?: readonly User[];
  readonly instances?: readonly Instance[];
  readonly backups?: readonly SeededBackup[];
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly credentials: readonly Credentials[];
  readonly users: readonly User[];
  readonly state: State;
}

export interface Projects {
  readonly all: readonly Project[];
  get(id: string): Project | undefined;
  /** The one with that id, or the first one. Throws for an id that is unknown. */
  one(id: string | undefined): Project;
  /** Throws when it is there already. */
  add(setup: ProjectSetup): Project;
  /** Replaces who may use it. */
  change(id: string | undefined, who: Partial<Pick<Project, 'credentials' | 'users'>>): void;
}

export function createProjects(options: Omit<StateOptions, 'instances'>): Projects {
  const projects = new Map<string, Project>();
  const one = (id: string | undefined): Project => {
    const project = id === undefined ? projects.values().next().value : projects.get(id);
    if (!project) throw new Error(`The emulator has no project ${id}.`);
    return project;
  };
  return {
    get all() {
      return [...projects.values()];
    },
    get: (id) => projects.get(id),
    one,
    add: ({ id, name = id, credentials = [], users = [], instances = [], backups = [] }) => {
      if (projects.has(id)) throw new Error(`The emulator has a project ${id} already.`);
      const state = createState({ ...options, instances });
      state.seedBackups(backups);
      const project = { id, name, credentials, users, state };
      projects.set(id, project);
      return project;
    },
    change: (id, who) => {
      const project = one(id);
      projects.set(project.id, { ...project, ...who });
    },
  };
}
