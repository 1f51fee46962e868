/** What must hold between the parts of a plan: names resolve, tasks form no cycle, and every task has the programs that it will run. */
import { sourcesOf } from '../left-tensor.ts';
import type { Ask, DataSource, EmbedTask, Plan, SampleTask, StateTensor, Task, TrainTask } from '../plan.ts';
import type { Program } from '../program.ts';
import { fewestListed } from '../schedule.ts';
import type { Faults } from './check.ts';

/** Adds a fault for everything in `tasks` that names something which is not there. The types are already checked. */
export function checkReferences(plan: Plan, faults: Faults): void {
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  plan.tasks.forEach((task, i) => {
    const fault = (what: string): void => void faults.push({ path: `tasks[${i}] (${task.id})`, text: what });
    if (byId.get(task.id) !== task) fault('has the id of another task');
    for (const id of task.needs) if (!byId.has(id)) fault(`needs ${id}, which is not in the plan`);
    const needed = (id: string, kinds: Task['kind'][], what: string): Task | undefined => {
      const found = byId.get(id);
      if (found === undefined) fault(`${what} the task ${id}, which is not in the plan`);
      else if (!kinds.includes(found.kind)) fault(`${what} ${id}, which is no ${kinds.join(' or ')} task but ${found.kind}`);
      else if (!task.needs.includes(id)) fault(`${what} ${id} and does not list it under needs`);
      return found !== undefined && kinds.includes(found.kind) ? found : undefined;
    };
    const weightOf = (id: string, name: string, what: string, like?: StateTensor): void => {
      const from = needed(id, ['train'], what);
      if (from?.kind !== 'train') return;
      const tensor = from.state.find((one) => one.name === name && one.keep === 'weight');
      if (tensor === undefined) fault(`${what} the weight ${name} of ${id}, which keeps none of that name`);
      else if (like !== undefined && tensor.shape.join() !== like.shape.join())
        fault(`takes ${name} [${tensor.shape.join(', ')}] of ${id} for ${like.name} [${like.shape.join(', ')}]`);
    };
    const checkState = (state: readonly StateTensor[]): void => {
      const names = new Set<string>();
      for (const tensor of state) {
        if (names.has(tensor.name)) fault(`has two state tensors ${tensor.name}`);
        names.add(tensor.name);
        if (tensor.source.from === 'task') weightOf(tensor.source.task, tensor.source.name, 'starts from', tensor);
        if (tensor.source.from === 'file' && !Object.hasOwn(plan.files, tensor.source.file))
          fault(`starts from the file ${tensor.source.file}, which the plan does not have`);
      }
    };
    const readsResults = (data: DataSource): void => {
      for (const part of data.mix ?? []) readsResults(part);
      if (data.task !== undefined) needed(data.task, ['sample', 'embed'], 'reads rows of');
    };
    switch (task.kind) {
      case 'train':
        checkState(task.state);
        readsResults(task.data);
        if (task.tuned !== undefined) {
          const chosen = needed(task.tuned.task, ['select'], 'takes the choice of');
          if (chosen?.kind === 'select' && chosen.values.length !== task.tuned.options.length)
            fault(`has ${task.tuned.options.length} options for the ${chosen.values.length} values of ${chosen.id}`);
        }
        if (task.reference !== undefined) checkState(task.reference.state);
        checkTrain(task, fault);
        checkData(plan, task.data, needsTokenizer(task), fault);
        if (task.evaluate !== undefined) checkData(plan, task.evaluate.data, needsTokenizer(task), fault);
        checkRoles(plan, task, trainRoles(task), fault);
        break;
      case 'embed':
        checkState(task.state);
        checkData(plan, task.data, needsTokenizer(task), fault);
        checkRoles(plan, task, [...batchRoles('forward', task.data.count, task.batch)], fault);
        break;
      case 'sample':
        checkState(task.state);
        checkData(plan, task.data, true, fault);
        if (task.data.tokenizer === undefined && task.speech === undefined) fault('names no checkpoint in whose tokens the model answers');
        checkRoles(
          plan,
          task,
          ['prefill', 'decode'].flatMap((role) => batchRoles(role, task.data.count * task.perPrompt, task.batch)),
          fault,
        );
        break;
      case 'score':
        for (const id of Object.values(task.tables)) needed(id, ['embed', 'sample'], 'scores');
        for (const list of Object.values(task.weights ?? {}))
          for (const one of list.flatMap(sourcesOf)) if (one.from === 'task') weightOf(one.task, one.name, 'scores');
        break;
      case 'select':
        for (const { task: id, choice } of task.cells) {
          needed(id, ['score'], 'chooses by');
          if (choice >= task.values.length) fault(`has a cell of value ${choice} and only ${task.values.length} values`);
        }
        break;
      case 'export':
        for (const one of task.tensors.flatMap(sourcesOf)) if (one.from === 'task') weightOf(one.task, one.name, 'exports');
        break;
      case 'report':
        break;
    }
  });
  plan.asks.forEach((one, i) => checkAsk(plan, one, (what) => void faults.push({ path: `asks[${i}]`, text: what })));
  const cycle = findCycle(plan.tasks);
  if (cycle !== undefined) faults.push({ path: 'tasks', text: `need each other in a circle: ${cycle.join(' -> ')}` });
}

type Say = (what: string) => void;

function checkTrain(task: TrainTask, fault: Say): void {
  if (task.batch % task.micro !== 0) fault(`has batches of ${task.batch}, which parts of ${task.micro} do not fill`);
  if (task.metrics[0] !== 'loss') fault('has no loss as its first metric');
  for (const [name, schedule] of Object.entries(task.schedules)) {
    const listed = fewestListed(schedule);
    if (listed < task.steps) fault(`has ${listed} values of ${name} for ${task.steps} steps`);
  }
  if (task.order.kind === 'permuted') {
    if (task.data.count < task.batch) fault(`has ${task.data.count} rows, which do not fill a batch of ${task.batch}`);
  } else if (task.order.rows.length < task.steps) {
    fault(`lists the rows of ${task.order.rows.length} steps and has ${task.steps}`);
  } else if (task.order.rows.some((rows) => rows.length !== task.batch || rows.some((row) => row >= task.data.count))) {
    fault(`lists a step that does not have ${task.batch} rows below ${task.data.count}`);
  }
}

function checkData(plan: Plan, data: DataSource, tokens: boolean, fault: Say): void {
  if (data.tokenizer !== undefined && !Object.hasOwn(plan.tokenizers, data.tokenizer))
    fault(`reads with the tokenizer ${data.tokenizer}, which the plan does not have`);
  if (tokens && data.tokenizer === undefined && data.chat === undefined) fault(`reads text from ${data.source} and names no tokenizer`);
  const parts = data.mix ?? [];
  if (parts.length > 0 && parts.reduce((n, part) => n + part.count, 0) !== data.count)
    fault(`mixes data whose rows do not add up to ${data.count}`);
}

function needsTokenizer({ collate }: TrainTask | EmbedTask | SampleTask): boolean {
  return collate.layout === 'pairs' || collate.layout === 'answers' || collate.layout === 'contrast';
}

/** Roles for `count` rows in batches of `batch`. */
function batchRoles(role: string, count: number, batch: number): string[] {
  return [...(count >= batch ? [role] : []), ...(count % batch > 0 ? [`${role}.rest`] : [])];
}

function trainRoles(task: TrainTask): string[] {
  return [
    ...(task.batch === task.micro ? ['step'] : ['micro', 'update']),
    ...(task.evaluate === undefined ? [] : batchRoles('forward', task.evaluate.data.count, task.micro)),
    ...(task.reference === undefined ? [] : ['reference']),
  ];
}

function checkRoles(plan: Plan, task: TrainTask | EmbedTask | SampleTask, wanted: readonly string[], fault: Say): void {
  if (Object.keys(task.programs).length === 0) fault('has no programs');
  for (const [target, roles] of Object.entries(task.programs)) {
    if (!plan.targets.some(({ name }) => name === target)) fault(`has programs for the target ${target}, which the plan does not have`);
    for (const role of wanted) if (!Object.hasOwn(roles, role)) fault(`has no program ${role} for the target ${target}`);
    for (const [role, hash] of Object.entries(roles)) {
      const program = Object.hasOwn(plan.programs, hash) ? plan.programs[hash] : undefined;
      if (program === undefined) fault(`runs the program ${hash} as ${role}, which the plan does not have`);
      else checkProgramOf(task, role, program, fault);
    }
  }
  for (const { name } of plan.targets) if (!Object.hasOwn(task.programs, name)) fault(`has no programs for the target ${name}`);
}

/** State and scalars of a program are those of its task. */
function checkProgramOf(task: TrainTask | EmbedTask | SampleTask, role: string, program: Program, fault: Say): void {
  const state = role === 'reference' && task.kind === 'train' ? (task.reference?.state ?? []) : task.state;
  const byName = new Map(state.map((tensor) => [tensor.name, tensor]));
  for (const { memory, dtype, shape } of program.tensors) {
    if (memory.kind !== 'state') continue;
    const declared = byName.get(memory.name);
    if (declared === undefined) fault(`has no state ${memory.name}, which its program ${role} uses`);
    else if (declared.dtype !== dtype || declared.shape.join() !== shape.join())
      fault(
        `declares ${memory.name} as ${declared.dtype} [${declared.shape.join(', ')}], and its program ${role} as ${dtype} [${shape.join(', ')}]`,
      );
  }
  const schedules = task.kind === 'train' ? task.schedules : {};
  for (const name of program.scalars) {
    if (name !== 'rows' && !Object.hasOwn(task.scalars, name) && !Object.hasOwn(schedules, name))
      fault(`has no value for the scalar ${name} of its program ${role}`);
  }
}

/** A model that can be asked has a task that trains it, programs for every target, and the state that they use. */
function checkAsk(plan: Plan, ask: Ask, fault: Say): void {
  if (!plan.tasks.some((t) => t.kind === 'train' && t.stage === ask.stage && t.arm === ask.arm))
    fault(`asks ${ask.stage}${ask.arm === undefined ? '' : `.${ask.arm}`}, which no task trains`);
  if (ask.tokenizer !== undefined && !Object.hasOwn(plan.tokenizers, ask.tokenizer))
    fault(`reads with the tokenizer ${ask.tokenizer}, which the plan does not have`);
  if (ask.tokenizer === undefined && ask.speech === undefined) fault('names neither words nor a checkpoint in whose tokens it is asked');
  const shapes = new Map(ask.state.map(({ name, shape }) => [name, shape.join()]));
  for (const { name } of plan.targets) {
    const roles = Object.hasOwn(ask.programs, name) ? ask.programs[name] : {};
    for (const role of ['prefill', 'decode']) if (!Object.hasOwn(roles, role)) fault(`has no program ${role} for the target ${name}`);
    for (const [role, hash] of Object.entries(roles)) {
      const program = Object.hasOwn(plan.programs, hash) ? plan.programs[hash] : undefined;
      if (program === undefined) fault(`runs the program ${hash} as ${role}, which the plan does not have`);
      for (const { memory, shape } of program?.tensors ?? [])
        if (memory.kind === 'state' && shapes.get(memory.name) !== shape.join())
          fault(`has no state ${memory.name} [${shape.join(', ')}], which its program ${role} uses`);
      for (const scalar of program?.scalars ?? [])
        if (!Object.hasOwn(ask.scalars, scalar)) fault(`has no value for the scalar ${scalar} of its program ${role}`);
    }
  }
}

/** Ids along a circle of needs, if there is one. */
function findCycle(tasks: readonly Task[]): string[] | undefined {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const done = new Set<string>();
  const visit = (id: string, path: string[]): string[] | undefined => {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id];
    if (done.has(id)) return undefined;
    for (const next of byId.get(id)?.needs ?? []) {
      const cycle = visit(next, [...path, id]);
      if (cycle !== undefined) return cycle;
    }
    done.add(id);
    return undefined;
  };
  for (const { id } of tasks) {
    const cycle = visit(id, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
