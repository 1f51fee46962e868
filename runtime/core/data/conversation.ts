/** Conversations as rows hold them once they are read: whatever the layout on disk, a message is a list of parts. */

/** `index` counts the row's pictures from 0. */
export type Part = { type: 'text'; text: string } | { type: 'image'; index: number };

export interface Message {
  role: string;
  content: Part[];
}
