/** `strftime` of Python for the C locale. */
import { unsupported } from './errors.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** The local time in a format such as `%d %b %Y`. @throws TemplateError for a directive that is not supported. */
export function formatTime(time: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => String(time.getFullYear()).padStart(4, '0'),
    y: () => two(time.getFullYear() % 100),
    m: () => two(time.getMonth() + 1),
    d: () => two(time.getDate()),
    e: () => String(time.getDate()).padStart(2, ' '),
    B: () => MONTHS[time.getMonth()],
    b: () => MONTHS[time.getMonth()].slice(0, 3),
    A: () => DAYS[time.getDay()],
    a: () => DAYS[time.getDay()].slice(0, 3),
    H: () => two(time.getHours()),
    I: () => two(time.getHours() % 12 || 12),
    p: () => (time.getHours() < 12 ? 'AM' : 'PM'),
    M: () => two(time.getMinutes()),
    S: () => two(time.getSeconds()),
    '%': () => '%',
  };
  return format.replace(/%([^])|%$/g, (whole, directive: string | undefined) => {
    if (directive !== undefined && Object.hasOwn(parts, directive)) return parts[directive]();
    throw unsupported(`${whole} in a format of strftime_now`);
  });
}
