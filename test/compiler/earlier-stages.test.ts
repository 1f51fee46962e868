/** Stages that start from, or are compared with, stages that trained adapters; and what of a model is said to begin anew. */
import { describe, expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import { compileText } from '../support/compile-text.ts';

const LORA = 'lora(head, rank: 2, targets: ["query"])';
const AFTER = 'model mllm\n  on pairs\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 4';

/** Codes of a text whose first stage `tune` trains `train`, followed by other stages. */
function faults(train: string, ...stages: string[]): string[] {
  const more = stages.map((stage) => stage.replace('}', `\n  ${AFTER}\n}\n`)).join('');
  const text = example({ train: `train ${train}`, more });
  return compileText(text).diagnostics.map(({ code }) => code);
}

describe('adapters that another stage trained', () => {
  test('stay, whatever a later stage trains', () => {
    expect(faults(LORA, 'stage later from tune {\n train mllm.connector\n loss sft }')).toEqual([]);
    expect(faults(LORA, 'stage later from tune {\n train head\n loss sft }')).toEqual([]);
    expect(faults(LORA, `stage later from tune {\n train ${LORA}\n loss dpo }`)).toEqual([]);
  });

  test('are not begun again in another form', () => {
    const scaled = 'lora(head, rank: 2, alpha: 4, targets: ["query"])';
    expect(faults(LORA, `stage later from tune {\n train ${scaled}\n loss sft }`)).toEqual(['P0521']);
  });
});

describe('weights that begin anew', () => {
  test('are neither new adapters nor what the stage before had and did not train', () => {
    expect(faults('mllm', `stage later from tune {\n train ${LORA}\n loss sft }`)).toEqual([]);
    expect(faults('layers(eyes, 0..1)', 'stage later from tune {\n train mllm\n loss sft }')).toEqual([]);
  });

  test('are those of another seed', () => {
    expect(faults('layers(eyes, 0..1)', 'stage later from tune[seed: 0] {\n train mllm\n loss sft }')).toEqual(['P0519']);
  });
});

test('what is compared is of one seed', () => {
  const against = (seed: string) => [`stage later from tune {\n train mllm\n loss dpo(reference: tune${seed}) }`] as const;
  expect(faults('mllm', ...against(''))).toEqual([]);
  expect(faults('mllm', ...against('[seed: 0]'))).toEqual([]);
  expect(faults('mllm', ...against('[seed: 1]'))).toEqual(['P0521']);
  const drift = (seed: string) => `use std.probe.drift\nprobe moved = drift(tune.eyes, start: tune${seed}.eyes, on: scenes.objects)`;
  expect(faults('mllm', drift('[seed: 0]'))).toEqual([]);
  expect(faults('mllm', drift('[seed: 1]'))).toEqual(['P0521']);
});
