// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Packed samples on their way to the shards: which dialogs make up each row. */
final class SampleRows implements AutoCloseable {
    private static final int BUFFERED = 1 << 14;

    private final DialogStore store;
    private final DialogIndex dialogs;
    private final DialogIndex.Writer writer;
    private final int rowTokens;
    private final SampleCounts[] counts;

    /** Where each row begins among all dialogs. */
    private long[] starts = new long[1024];

    private int rows;

    /**
     * @param file a temporary one
     * @param store where the tokens of the dialogs are
     * @param rowTokens length of a row
     * @param sources how many there are, for the counts
     */
    SampleRows(Path file, DialogStore store, int rowTokens, int sources) {
        this.store = store;
        this.dialogs = new DialogIndex(file);
        this.writer = dialogs.writer(BUFFERED);
        this.rowTokens = rowTokens;
        this.counts = new SampleCounts[sources];
        Arrays.setAll(counts, i -> new SampleCounts());
    }

    /** What a source contributed. */
    static final class SampleCounts {
        long dialogs;
        long tokens;
        long trained;
    }

    /** Adds a row; dialogs keep this order in it. A row that is too long loses its oldest tokens. */
    void add(List<StoredDialog> row) {
        if (rows + 1 >= starts.length) {
            starts = Arrays.copyOf(starts, 2 * starts.length);
        }
        int surplus = row.stream().mapToInt(StoredDialog::length).sum() - rowTokens;
        for (StoredDialog dialog : row) {
            StoredDialog fitting = dialog;
            if (surplus > 0) {
                int cut = Math.min(surplus, dialog.length());
                surplus -= cut;
                fitting = withoutOldest(dialog, cut);
            }
            SampleCounts count = counts[fitting.source()];
            count.dialogs++;
            count.tokens += fitting.length();
            count.trained += fitting.trained();
            writer.add(fitting);
        }
        starts[rows + 1] = starts[rows] + row.size();
        rows++;
    }

    private StoredDialog withoutOldest(StoredDialog dialog, int tokens) {
        byte[] mask = new byte[dialog.length()];
        store.reader().read(dialog, new int[dialog.length()], mask, 0);
        int trained = 0;
        for (int i = tokens; i < mask.length; i++) {
            trained += mask[i];
        }
        return new StoredDialog(
                dialog.key(),
                dialog.place(),
                dialog.source(),
                dialog.length() - tokens,
                trained,
                dialog.file(),
                dialog.offset() + (long) Integer.BYTES * tokens);
    }

    int size() {
        return rows;
    }

    int rowTokens() {
        return rowTokens;
    }

    SampleCounts counts(int source) {
        return counts[source];
    }

    /** Makes all rows that were added readable. */
    void flush() {
        writer.flush();
    }

    /** For one thread. */
    Reader reader() {
        return new Reader();
    }

    /** Fills in rows. */
    final class Reader {
        private final DialogStore.Reader tokens = store.reader();

        /**
         * Writes row {@code row}, padded on the left.
         *
         * @param ids rowTokens token ids
         * @param mask 1 where a token is trained
         * @param sequences 0 for padding, and 1, 2, … for the dialogs of the row
         */
        void row(int row, int padId, int[] ids, byte[] mask, int[] sequences) {
            List<StoredDialog> parts = new ArrayList<>();
            dialogs.forEach(starts[row], starts[row + 1], parts::add);
            int to = rowTokens - parts.stream().mapToInt(StoredDialog::length).sum();
            Arrays.fill(ids, 0, to, padId);
            Arrays.fill(mask, 0, to, (byte) 0);
            Arrays.fill(sequences, 0, to, 0);
            int sequence = 0;
            for (StoredDialog dialog : parts) {
                tokens.read(dialog, ids, mask, to);
                Arrays.fill(sequences, to, to + dialog.length(), ++sequence);
                to += dialog.length();
            }
        }
    }

    @Override
    public void close() {
        dialogs.close();
    }
}
