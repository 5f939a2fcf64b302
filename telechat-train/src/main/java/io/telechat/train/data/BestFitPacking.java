// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Puts each dialog into the open row that it fills best; of many open rows the fullest is finished when there are too
 * many (best fit, with a bounded number of bins; Johnson, 1974).
 */
final class BestFitPacking {
    private static final int MAX_OPEN = 256;

    private static final class Row {
        private final List<StoredDialog> dialogs = new ArrayList<>();
        private int room;
    }

    private final int capacity;
    private final Consumer<List<StoredDialog>> finished;
    /** Open rows by the room that is left in them, the oldest first. */
    private final TreeMap<Integer, Deque<Row>> open = new TreeMap<>();

    private int openRows;

    /**
     * @param capacity most tokens of a row
     * @param finished takes the rows
     */
    BestFitPacking(int capacity, Consumer<List<StoredDialog>> finished) {
        this.capacity = capacity;
        this.finished = finished;
    }

    /** @param dialog no longer than a row */
    void add(StoredDialog dialog) {
        Map.Entry<Integer, Deque<Row>> best = open.ceilingEntry(dialog.length());
        Row row;
        if (best == null) {
            row = new Row();
            row.room = capacity;
        } else {
            row = take(best);
        }
        row.dialogs.add(dialog);
        row.room -= dialog.length();
        if (row.room == 0) {
            finished.accept(row.dialogs);
            return;
        }
        if (openRows == MAX_OPEN) {
            finished.accept(take(open.firstEntry()).dialogs);
        }
        open.computeIfAbsent(row.room, r -> new ArrayDeque<>()).add(row);
        openRows++;
    }

    private Row take(Map.Entry<Integer, Deque<Row>> rows) {
        Row row = rows.getValue().poll();
        if (rows.getValue().isEmpty()) {
            open.remove(rows.getKey());
        }
        openRows--;
        return row;
    }

    /** Finishes what is still open. */
    void flush() {
        while (openRows > 0) {
            finished.accept(take(open.firstEntry()).dialogs);
        }
    }
}
