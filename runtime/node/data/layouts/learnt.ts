/**
 * Which answers of a row are learnt. Of `messages` all of the assistant's are, but for those that the row marks otherwise; what follows the last
 * of them is passed over, since no token that is learnt depends on it. Pairs are learnt whole, and so is a completion.
 */
import type { Complain, Draft, Turn } from './layout.ts';

/** Complains of marks that cannot be followed. False after a fault. */
export function checkMarks({ prompt, chosen, rejected, messages, lead }: Draft, complain: Complain): boolean {
  const wrong = ({ field, mark }: Turn, what: string): boolean => {
    complain(`${field}.${mark?.key ?? ''}`, what);
    return false;
  };
  const answers = [...(chosen ?? []), ...(rejected ?? []), ...(lead === undefined ? [] : (messages ?? []).slice(lead))];
  const masked = answers.find(({ mark }) => mark?.learn === false);
  if (masked !== undefined)
    return wrong(masked, 'an answer of a pair, or a completion, is learnt whole; only single answers of `messages` can be left out');
  const earlier = lead === undefined ? (prompt ?? []) : (messages ?? []).slice(0, lead);
  const wanted = earlier.find(({ mark }) => mark?.learn === true);
  if (wanted !== undefined) return wrong(wanted, 'the message is part of the prompt, which is not learnt');
  if (messages === undefined || lead !== undefined || messages.some(isLearnt)) return true;
  complain('messages', 'nothing is to be learnt: every message of the assistant says so');
  return false;
}

/** The messages up to the last answer that is learnt. */
export function withoutRest(messages: readonly Turn[], warn: (field: string, what: string) => void): readonly Turn[] {
  const kept = messages.slice(0, messages.findLastIndex(isLearnt) + 1);
  if (kept.length === messages.length) return messages;
  const { field, role } = messages[kept.length];
  const what = messages.length - kept.length === 1 ? 'it is' : `it and ${messages.length - kept.length - 1} more are`;
  warn(field, `${what} behind the last answer that is learnt, and passed over (${role})`);
  return kept;
}

function isLearnt({ role, mark }: Turn): boolean {
  return role === 'assistant' && mark?.learn !== false;
}
