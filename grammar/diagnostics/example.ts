/** A small sound text that examples of diagnostics change in one place. */

export interface ExampleParts {
  uses?: string;
  encoder?: string;
  language?: string;
  model?: string;
  data?: string;
  train?: string;
  loss?: string;
  optimize?: string;
  rest?: string;
  more?: string;
}

/** The sound text, with the given lines in place of its own. */
export function example(parts: ExampleParts = {}): string {
  return `pivot 1
${parts.uses ?? 'use std.vision.vit\nuse std.language.decoder\nuse std.connector.mlp.merge\nuse std.data.scenes\nuse std.loss.{ sft, dpo }\nuse std.optim.adamw'}
${parts.encoder ?? 'encoder eyes = vit(image: 24px, patch: 4px, width: 16, depth: 1, heads: 2)'}
${parts.language ?? 'language head = decoder(tokenizer: scenes.words, width: 16, depth: 1, heads: 2, context: 48)'}
${parts.model ?? 'model mllm = eyes -> merge() -> head'}
${parts.data ?? 'data pairs = scenes.preferences(count: 64)'}
stage tune {
  ${parts.train ?? 'train mllm'}
  on pairs
  ${parts.loss ?? 'loss sft'}
  ${parts.optimize ?? 'optimize adamw(lr: 1e-3)'}
  ${parts.rest ?? 'batch 8\n  steps 4'}
}
${parts.more ?? ''}`;
}
