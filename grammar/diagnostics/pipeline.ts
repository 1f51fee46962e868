/** P05: stages, arms, models and losses that do not go together. */
import { entry, enumerate } from './entry.ts';
import { example } from './example.ts';

const mean = (nearest: string): string | undefined => (nearest ? `did you mean \`${nearest}\`?` : undefined);

export const pipeline = {
  P0501: entry<{ part: string; why: string }>({
    message: ({ part, why }) => `\`${part}\` is to be trained, but ${why}`,
    help: () => 'train a smaller part, or use the part in what the loss sees',
    explain: 'A part that is listed under `train` and gets no gradient would stay as it is without anybody noticing.',
    example: example({
      more: 'encoder other = vit(image: 24px, patch: 4px, width: 16, depth: 1, heads: 2)',
      train: 'train other\n  model mllm',
    }),
  }),
  P0502: entry<{ image: number; prompt: number; answer: number; needed: number; context: number }>({
    message: ({ image, prompt, answer, needed, context }) =>
      `image (${image} tokens), prompt (${prompt}) and answer (${answer}) need a context of ${needed}, the language model has ${context}`,
    help: ({ needed }) =>
      `give it \`context: ${needed}\`, merge image tokens (std.connector.mlp.merge), or declare shorter prompts and answers`,
    explain: 'Image tokens are never cut. The longest row that the data declares must fit.',
    example: example({ language: 'language head = decoder(tokenizer: scenes.words, width: 16, depth: 1, heads: 2, context: 20)' }),
  }),
  P0504: entry<{ what: string; layout: string }>({
    message: ({ what, layout }) => `${what} needs preference pairs, and the data are ${layout}`,
    help: () => 'use data of pairs, such as scenes.preferences, or a loss of one answer, such as sft',
    explain:
      'A loss whose policy is a `Pair` needs rows with a chosen and a rejected answer. The other way round is fine: `sft` on pairs takes the chosen answer.',
    example: example({ data: 'data pairs = scenes.captions(count: 64)', loss: 'loss dpo(beta: 0.1, reference: tune)' }),
  }),
  P0505: entry<{ batch: number; micro: number }>({
    message: ({ batch, micro }) => `a batch of ${batch} cannot be taken in parts of ${micro}`,
    help: () => '`micro` must divide `batch`',
    explain: '`batch` is what the optimizer sees, `micro` what fits into memory at once.',
    example: example({ rest: 'batch 8, micro 3\n  steps 4' }),
  }),
  P0506: entry<{ batch: number; rows: number }>({
    message: ({ batch, rows }) => `a batch of ${batch} needs more rows than the ${rows} of the data`,
    explain: 'Training batches are full, and no row stands twice in an epoch.',
    example: example({ rest: 'batch 128\n  steps 4' }),
  }),
  P0507: entry<{ name: string; why: string }>({
    message: ({ name, why }) => `the loss ${name} cannot be computed on parts of a batch: ${why}`,
    help: () => 'take the whole batch at once (leave `micro` out), or write the loss as a sum or mean over rows',
    explain:
      'Gradients are added up over the parts of a batch, so the losses of the parts must add up to that of the whole batch. Sums and means over rows, or ' +
      'over their tokens, do. A sum over rows may also be used as a number (a divisor, an argument of `max`) where no gradient flows through it: below ' +
      '`stop_gradient`, or where it depends on the data alone. What compares rows with each other, takes the largest of them, or picks some by their place ' +
      'in the batch does not add up. A named extent `N` of the rows is that of the whole batch.',
    example: example({
      loss: 'loss own',
      rest: 'batch 8, micro 4\n  steps 4',
      more: 'use std.model.scores.Scored\nloss own(policy: Scored) {\n  let s = sum(policy.logp)\n  return s * s\n}',
    }),
  }),
  P0508: entry<{ name: string; nearest: string; known: string }>({
    message: ({ name }) => `a stage has no field \`${name}\``,
    help: ({ nearest, known }) => mean(nearest) ?? `its fields are ${known}`,
    explain: 'Fields of a stage are fixed, so that a misspelt one is not passed over.',
    example: example({ rest: 'batch 8\n  stpes 4' }),
  }),
  P0509: entry<{ name: string; place: string }>({
    message: ({ name, place }) => `\`${name}\` belongs into ${place}`,
    explain: 'Some statements have a meaning in one kind of body only.',
    example: example({
      loss: 'loss own',
      more: 'use std.model.scores.Scored\nloss own(policy: Scored) {\n  keep x = policy.logp\n  return sum(policy.logp)\n}',
    }),
  }),
  P0510: entry<{ file: string }>({
    message: ({ file }) => `there is no file \`${file}\``,
    help: () => 'paths are relative to the text',
    explain: 'Files that a text names are looked up when compiling, before anything runs.',
    example: example({ rest: 'start load("nowhere.safetensors")\n  batch 8\n  steps 4' }),
  }),
  P0511: entry<{ file: string; message: string }>({
    message: ({ file, message }) => `\`${file}\` cannot be used: ${message}`,
    explain: 'The file is there, but it does not hold what the text needs.',
    example: example({ data: 'tokenizer own = vocabulary("broken.json")\ndata pairs = scenes.preferences(count: own.size)' }),
  }),
  P0512: entry<{ names: readonly string[]; where: string }>({
    message: ({ names, where }) => `${where} needs the field${names.length === 1 ? '' : 's'} ${enumerate(names)}`,
    explain:
      'What decides a result is in the text: a training stage says what it trains, on what, by which loss and optimizer, in which batches and for how long.',
    example: example({ rest: 'steps 4' }),
  }),
  P0513: entry<{ name: string; where: string }>({
    message: ({ name, where }) => `\`${name}\` stands twice in ${where}`,
    explain: 'A field is given once; an arm may replace what its comparison gives.',
    example: example({ rest: 'batch 8\n  batch 4\n  steps 4' }),
  }),
  P0514: entry<{ layout: string }>({
    message: ({ layout }) => `a model made by \`->\` answers questions; rows of kind ${layout} have none`,
    help: () => 'use data of pairs or answers, or a model such as towers(...) or classifier(...)',
    explain: 'encoder -> connector -> language is trained on rows with prompts and answers.',
    example: example({ data: 'data pairs = scenes.objects(count: 64)' }),
  }),
  P0515: entry<{ name: string; known: string }>({
    message: ({ name }) => `nothing on the batch or in the model's result is called \`${name}\``,
    help: ({ known }) => `there are ${known}`,
    explain:
      'Parameters of a model layer are inputs of the batch. Parameters of a loss are `policy`, `reference`, fields of what the model returns, or inputs of the batch.',
    example: example({ loss: 'loss own', more: 'loss own(labels: [N]) {\n  return sum(labels)\n}' }),
  }),
  P0516: entry<{ name: string; known: string }>({
    message: ({ name }) => `\`${name}\` is not a stage that comes before`,
    help: ({ known }) => (known ? `stages are ${known}` : 'declare a stage for it'),
    explain: '`from` and `reference` name a stage of the text, and stages may not depend on each other in a circle.',
    example: example({ loss: 'loss dpo(reference: tune)' }),
  }),
  P0517: entry<{ file: string; name: string; expected: string; found: string }>({
    message: ({ file, name, expected, found }) => `${name} in ${file} is ${found}, the model's is ${expected}`,
    help: () => 'the file was made by another model',
    explain: 'Weights are taken by name and must have the shape that the text gives them.',
    example: example({ rest: 'start load("other.safetensors")\n  batch 8\n  steps 4' }),
  }),
  P0518: entry<{ file: string; missing: string }>({
    message: ({ file, missing }) => `${file} holds none of this model's weights, such as ${missing}`,
    help: () => 'names are paths of parts: the encoder, language and model must have the names that they had when the file was written',
    explain: 'Weights are taken by name; those that the file does not have begin as the layers say. A file with none of them is a mistake.',
    example: example({ rest: 'start load("foreign.safetensors")\n  batch 8\n  steps 4' }),
  }),
  P0519: entry<{ missing: string; count: number; where: string }>({
    severity: 'warning',
    message: ({ missing, count, where }) => `${count} weights are not in ${where} and begin anew: ${missing}`,
    explain: 'A fresh connector beside a trained encoder is normal; a whole language model that begins anew is not.',
    example: example({ rest: 'start load("part.safetensors")\n  batch 8\n  steps 4' }),
  }),
  P0520: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` is a comparison: say which arm`,
    help: ({ name }) => `write ${name}.arm`,
    explain: 'A comparison has several results; what starts from it, exports it or refers to it names one of them.',
    example: example({
      more: 'compare post from tune {\n  arm a { loss sft }\n  arm b { loss sft }\n  train mllm\n  on pairs\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}\nexport post.eyes as "e.safetensors"',
    }),
  }),
  P0521: entry<{ what: string }>({
    message: ({ what }) => what,
    explain: 'The declaration is understood but cannot be carried out as it stands.',
    example: example({ more: 'seeds [0.5]' }),
  }),
  P0522: entry<{ probe: string; judges: string; stage: string }>({
    message: ({ probe, judges, stage }) => `the probe \`${probe}\` judges ${judges}, so it cannot choose a value for ${stage}`,
    help: () => 'tune by a probe whose subject is this stage, or the comparison that it belongs to',
    explain: 'The cells of a tuning grid are compared by a probe of the stage that is tuned.',
    example: example({
      rest: 'tune rate in [1e-3, 1e-2] by objects on seeds [7]\n  batch 8\n  steps 4',
      more: 'stage other {\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}\nuse std.probe.linear_probe\nprobe objects = linear_probe(other.eyes, on: scenes.objects, fit: 64, held: 64)',
    }),
  }),
  P0523: entry<{ score: string; value: string; known: string }>({
    message: ({ score, value }) => `the score ${score} has no measure \`${value}\` of which one value is better than another`,
    help: ({ known }) => (known ? `it has ${known}` : 'tune by another probe'),
    explain: 'A choice needs a measure with a better side; what is only told, such as drift, chooses nothing.',
    example: example({
      rest: 'tune rate in [1e-3, 1e-2] by objects.top5 on seeds [7]\n  batch 8\n  steps 4',
      more: 'use std.probe.linear_probe\nprobe objects = linear_probe(tune.eyes, on: scenes.objects, fit: 64, held: 64)',
    }),
  }),
  P0524: entry<{ least: string; fewer: number; most: string; more: number }>({
    severity: 'warning',
    message: ({ least, fewer, most, more }) =>
      `${most} may choose among ${more} values and ${least} among ${fewer}: the comparison favours the larger grid`,
    help: () => 'tune in the comparison, for all arms, or give each arm as many values',
    explain: 'The best of many tries is better than the best of few, whatever is tried. Arms that are compared should have equal chances.',
    example: example({
      more: 'use std.probe.linear_probe\nprobe objects = linear_probe(post.eyes, on: scenes.objects, fit: 64, held: 64)\ncompare post from tune {\n  arm a {\n    loss sft\n    tune rate in [1e-3, 1e-2] by objects on seeds [7]\n    optimize adamw(lr: rate)\n  }\n  arm b {\n    loss sft\n    optimize adamw(lr: 1e-3)\n  }\n  train mllm\n  on pairs\n  batch 8\n  steps 2\n}',
    }),
  }),
  P0525: entry<{ name: string }>({
    message: ({ name }) =>
      `\`${name}\` decides more than a number of the loss, the optimizer or the schedule: its values are other programs`,
    help: () => 'write arms of a comparison for what cannot be tuned: sizes, lengths, data',
    explain:
      'The cells of a grid and the stage share their programs and differ in scalars alone: rates, beta, decay, smoothing. Steps, batches, data and shapes are no scalars.',
    example: example({
      rest: 'tune length in [2, 4] by objects on seeds [7]\n  batch 8\n  steps length',
      more: 'use std.probe.linear_probe\nprobe objects = linear_probe(tune.eyes, on: scenes.objects, fit: 64, held: 64)',
    }),
  }),
  P0526: entry<{ part: string }>({
    message: ({ part }) => `\`freeze\` names ${part}, of which nothing is trained`,
    help: () => 'leave it out, or train the part that it belongs to',
    explain: 'What `train` does not name is frozen already; `freeze` takes weights out of what it names.',
    example: example({ train: 'train mllm.connector\n  freeze eyes' }),
  }),
  P0527: entry<{ part: string; lists: string }>({
    message: ({ part, lists }) => `${part}: ${lists ? `there are several lists of layers (${lists})` : 'no list of layers is there'}`,
    help: ({ lists }) => (lists ? 'say which: layers(within(eyes, "encoder.layers"), 0..4)' : 'name what is there: within(eyes, "patch")'),
    explain: 'Layers are what a layer repeats, with numbers in the paths of its weights. A range speaks of one such list.',
    example: example({ train: 'train layers(mllm.connector, 0..1)' }),
  }),
  P0528: entry<{ layer: number; count: number; list: string }>({
    message: ({ layer, count, list }) => `there is no layer ${layer} in ${list}, which has ${count}`,
    help: ({ count }) => `they are 0 to ${count - 1}, and -${count} to -1 from the end`,
    explain:
      'Layers count from 0, and the end of a range is not in it. Layers that the model does not run (`feature_layer`) are not counted.',
    example: example({ train: 'train layers(eyes, 0..9)' }),
  }),
  P0529: entry<{ name: string }>({
    message: ({ name }) => `the optimizer ${name} has no parameter of type schedule, so no part can have a rate of its own`,
    explain: 'The rate is the first parameter of an optimizer that is a schedule, such as `lr: schedule`.',
    example: example({
      more: 'optimizer still(p: [..], g: [..]) {\n  p = p - 0.1 * g\n}',
      train: 'train at_rate(eyes, 10%)',
      optimize: 'optimize still()',
    }),
  }),
  P0530: entry<{ part: string }>({
    message: ({ part }) => `${part} is given two adapters`,
    help: () => 'name all targets in one: lora(head, rank: 16, targets: ["q_proj", "v_proj"])',
    explain: 'A part has one adapter, with one rank for all of its targets.',
    example: example({ train: 'train [lora(head, rank: 2, targets: ["query"]), lora(head, rank: 4, targets: ["value"])]' }),
  }),
  P0531: entry<{ part: string }>({
    message: ({ part }) => `the rate of ${part} holds for none of its weights: parts that stand later give them others`,
    help: () => 'name the whole first, then the parts of it that differ: [at_rate(mllm, 20%), at_rate(eyes, 10%)]',
    explain: 'Where several parts with rates have a weight, the last one counts.',
    example: example({ train: 'train [at_rate(eyes, 10%), at_rate(mllm, 20%)]' }),
  }),
  P0533: entry<{ first: string; second: string }>({
    message: ({ first, second }) => `\`${first}\` and \`${second}\` are both given, and each says how long the stage is`,
    help: () => 'give one of the two',
    explain:
      'A stage lasts a number of steps, or a number of passes over its rows. An arm that gives one of them replaces what its comparison gives.',
    example: example({ rest: 'batch 8\n  steps 4\n  epochs 1' }),
  }),
  P0534: entry<{ field: string; every: number; steps: number }>({
    severity: 'warning',
    message: ({ field, every, steps }) =>
      `\`${field}\` is due every ${every} steps, and the stage ends after ${steps}: it happens at the end only`,
    help: ({ steps }) => `give an interval of less than ${steps} steps`,
    explain: 'An interval that is longer than the stage is never reached, so there is no curve to look at.',
    example: example({ rest: 'batch 8\n  steps 4\n  eval every 50 steps on scenes.preferences(split: "held-out", count: 8)' }),
  }),
  P0535: entry<{ name: string }>({
    message: ({ name }) => `the comparison \`${name}\` has no arm`,
    help: () => 'add arms: `arm a { loss sft }`, or make it a `stage`',
    explain: 'A comparison trains each of its arms, and without one it trains nothing.',
    example: example({
      more: 'compare post from tune {\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}',
    }),
  }),
  P0536: entry<{ name: string; compare: string; line: number }>({
    message: ({ name, compare, line }) => `the comparison \`${compare}\` has two arms called \`${name}\`, the first in line ${line}`,
    help: () => 'give one of them another name',
    explain: 'Results of an arm are known by its name.',
    example: example({
      more: 'compare post from tune {\n  arm a { clip 1.0 }\n  arm a { clip 2.0 }\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}',
    }),
  }),
  P0537: entry<{ names: readonly string[] }>({
    message: ({ names }) => `stages depend on each other in a circle: ${names.join(' needs ')}`,
    help: () => 'one of them must do without the others',
    explain:
      'A stage comes after those that it begins with, is compared with, or takes rows of. Stages may stand in any order, but none may come after itself.',
    example: example({
      more: 'stage one from two {\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}\nstage two from one {\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}',
    }),
  }),
  P0538: entry<{ what: string; why: string }>({
    message: ({ what, why }) => `\`${what}\` has no effect here: ${why}`,
    help: () => 'leave it out',
    explain: 'What a text says is used or refused: a value that nothing reads is most often meant for another place.',
    example: example({ rest: 'reference tune\n  batch 8\n  steps 4' }),
  }),
  P0539: entry<{ of: string; argument: string; wanted: readonly string[]; kept: readonly string[]; nearest: string }>({
    message: ({ of, argument, wanted }) =>
      `${of} reads ${enumerate(wanted, 'or')} of its table \`${argument}\`, and the embed does not keep it`,
    help: ({ wanted, kept, nearest }) =>
      nearest
        ? `it keeps \`${nearest}\`: did you mean \`${wanted[0]}\`?`
        : `it keeps ${kept.join(', ') || 'nothing'}; add \`keep ${wanted[0]} = ...\``,
    explain: 'A score reads columns of the tables that it is given by their names, and each is kept by an `embed` of the probe.',
    example: example({
      more: 'probe own(subject: encoder, on: classes) {\n  embed now from on(split: "probe", count: 8) {\n    keep feature = sum(subject.encoder(image), axis: 1)\n  }\n  score alignment(seen: now, read: now)\n}\nprobe objects = own(tune.eyes, on: scenes.objects)',
    }),
  }),
  P0543: entry<{ of: string; column: string; data: string }>({
    message: ({ of, column, data }) => `${of} needs the \`${column}\` of each row, and rows of ${data} have none`,
    help: () => 'use rows that have them, such as scenes.questions, or leave this probe out',
    explain:
      'Where a gradient falls is judged by boxes around what an answer speaks of. Scenes have them; rows of files have them where a column says so.',
    example: example({
      data: 'data pairs = files.preferences(folder: "unboxed.jsonl", tokenizer: scenes.words, count: 64, size: 24px, prompt: 8, answer: 8)',
      more: 'use std.data.files\nuse std.probe.grad_cam.grad_cam\nprobe focus = grad_cam(tune.mllm, on: pairs, rows: 8)',
    }),
  }),
  P0532: entry<{ probe: string; stage: string; rows: string }>({
    severity: 'warning',
    message: ({ probe, stage, rows }) => `the probe ${probe} judges ${stage} on rows of ${rows}, which it was trained on`,
    help: () => 'name a folder or file of rows that were set aside',
    explain:
      'What a model says of rows that it has learnt tells little of what it sees. Files have no splits: which rows are held out is in the text.',
    example: example({
      data: 'data pairs = files.preferences(folder: "rows", tokenizer: scenes.words, count: 64, size: 24px, prompt: 8, answer: 8)',
      more: 'use std.data.files\nuse std.probe.preference.preference\nprobe taste = preference(tune.mllm, start: tune.mllm, on: pairs, rows: 8)',
    }),
  }),
  P0540: entry<{ name: string; seeds: string; free: number }>({
    message: ({ name, seeds }) => `\`${name}\` is tuned on seed ${seeds}, which the text runs too`,
    help: ({ free }) => `give the grid seeds of its own, such as \`on seeds [${free}, ${free + 1}]\``,
    explain:
      'A value that was chosen on the rows of a seed would be judged on the same rows once more, and look better than it is. Seeds of a grid draw rows of their own and train models of their own.',
    example: example({
      optimize: 'optimize adamw(lr: rate)',
      rest: 'tune rate in [1e-3, 1e-2] by objects on seeds [0]\n  batch 8\n  steps 4',
      more: 'use std.probe.linear_probe\nprobe objects = linear_probe(tune.eyes, on: scenes.objects, fit: 64, held: 64)',
    }),
  }),
  P0541: entry<{ probe: string; by: string; tuned: string; rows: string }>({
    message: ({ probe, by, tuned, rows }) => `the probe ${probe} judges on rows of ${rows}, by which ${by} chooses \`${tuned}\``,
    help: ({ by }) => `set rows aside for ${by}, in a file or folder of their own`,
    explain:
      'What was chosen on some rows looks better on them than on others. Files have one set of rows for all seeds, so that a grid and the final measure need two files. A probe of files that a grid names only chooses; generated rows of a grid are always its own.',
    example: example({
      optimize: 'optimize adamw(lr: rate)',
      rest: 'tune rate in [1e-3, 1e-2] by choice.exact on seeds [100]\n  batch 8\n  steps 4',
      more: 'use std.data.files\nuse std.probe.answering\ndata kept = files.captions(folder: "rows", tokenizer: scenes.words, count: 64, size: 24px, prompt: 16, answer: 16)\nprobe choice = answering(tune.mllm, on: kept, rows: 8)\nprobe taste = answering(tune.mllm, on: kept, rows: 8)',
    }),
  }),
  P0542: entry<{ probe: string; tuned: string }>({
    severity: 'warning',
    message: ({ probe, tuned }) =>
      `the probe ${probe} chooses \`${tuned}\` on rows of files, so that it does not judge what was trained with the choice, and no other probe does`,
    help: () => 'add a probe of the same kind on other rows, set aside for the end',
    explain:
      'Files have one set of rows for all seeds. A probe that a grid names has chosen on them, and would judge the choice on the rows that made it; it is therefore measured for the cells of the grid alone.',
    example: example({
      optimize: 'optimize adamw(lr: rate)',
      rest: 'tune rate in [1e-3, 1e-2] by choice.exact on seeds [100]\n  batch 8\n  steps 4',
      more: 'use std.data.files\nuse std.probe.answering\ndata kept = files.captions(folder: "rows", tokenizer: scenes.words, count: 64, size: 24px, prompt: 16, answer: 16)\nprobe choice = answering(tune.mllm, on: kept, rows: 8)',
    }),
  }),
  P0551: entry<{ name: string; why: string; rows: number; batch: number }>({
    message: ({ name, why, rows, batch }) =>
      `the loss ${name} is evaluated on whole batches of ${batch}, since it mixes rows (${why}), and ${rows} held-out rows are no whole batches`,
    help: ({ rows, batch }) => `evaluate on ${Math.max(1, Math.floor(rows / batch)) * batch} rows`,
    explain:
      'An evaluation is exact over all held-out rows, whatever the batch. A loss that compares the rows of a batch with each other has no value over all rows ' +
      'that could be had batch by batch, so it is the mean over whole batches, and `pivot show` says so.',
    example: example({
      loss: 'loss own',
      rest: 'batch 8\n  steps 4\n  eval every 2 steps on scenes.preferences(split: "held-out", count: 12)',
      more: 'use std.model.scores.Scored\nloss own(policy: Scored) {\n  return largest(sum(policy.logp, axis: 1))\n}',
    }),
  }),
  P0552: entry<{ name: string; why: string }>({
    message: ({ name, why }) => `what ${name} keeps of a row depends on the rows beside it: ${why}`,
    help: () => 'keep what is computed of each row by itself',
    explain:
      'Rows are run in batches and kept in one table, so what is kept of a row must not depend on the rows that happen to stand in its batch.',
    example: example({
      more:
        'probe own(subject: encoder) {\n  embed rows from scenes.objects(split: "probe", count: 72) {\n    let x = mean(subject.encoder(image), axis: 1)\n' +
        '    keep features = x - largest(x, axis: 0, keep: true)\n    keep label = label\n  }\n  score logistic(fit: rows, held: rows)\n}\nprobe objects = own(tune.eyes)',
    }),
  }),
};
