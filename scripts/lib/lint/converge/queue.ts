// A queue that hands out what is due first; of two that are due at once, the one that came first.
interface Entry<T> {
  at: number;
  turn: number;
  value: T;
}

export interface Queue<T> {
  add(at: number, turn: number, value: T): void;
  take(): Entry<T> | undefined;
}

const before = <T>(a: Entry<T>, b: Entry<T>) => a.at < b.at || (a.at === b.at && a.turn < b.turn);

/** A binary heap by time and turn. */
export function earliestFirst<T>(): Queue<T> {
  const heap: Entry<T>[] = [];
  const swap = (a: number, b: number) => ([heap[a], heap[b]] = [heap[b]!, heap[a]!]);
  return {
    add(at, turn, value) {
      heap.push({ at, turn, value });
      for (let here = heap.length - 1; here > 0;) {
        const above = (here - 1) >> 1;
        if (!before(heap[here]!, heap[above]!)) break;
        swap(here, above);
        here = above;
      }
    },
    take() {
      const first = heap[0];
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return first;
      heap[0] = last;
      for (let here = 0; ;) {
        const [left, right] = [2 * here + 1, 2 * here + 2];
        let least = here;
        if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
        if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
        if (least === here) return first;
        swap(here, least);
        here = least;
      }
    },
  };
}
