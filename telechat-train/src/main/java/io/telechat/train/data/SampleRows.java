// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Packed samples on their way to the shards: which dialogs make up a row, padding not yet there. */
final class SampleRows implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final DialogSpill file;
    private final int rowTokens;
    private ByteBuffer buffer = DialogSpill.buffer(BUFFER_BYTES);
    private long written;
    private long[] starts = new long[1024];
    private int rows;
    private final SampleCounts[] counts;

    /**
     * @param rowTokens length of a row
     * @param sources how many there are, for the counts
     */
    SampleRows(Path file, int rowTokens, int sources) throws IOException {
        this.file = new DialogSpill(file);
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
    void add(List<DialogSpill.Entry> dialogs) {
        if (rows + 1 >= starts.length) {
            starts = Arrays.copyOf(starts, 2 * starts.length);
        }
        starts[rows++] = written;
        int surplus = dialogs.stream().mapToInt(d -> d.dialog().length()).sum() - rowTokens;
        for (DialogSpill.Entry entry : dialogs) {
            DialogSpill.Entry fitting = entry;
            if (surplus > 0) {
                int cut = Math.min(surplus, entry.dialog().length());
                surplus -= cut;
                fitting = cut(entry, cut);
            }
            count(fitting);
            write(fitting);
        }
        starts[rows] = written;
    }

    private static DialogSpill.Entry cut(DialogSpill.Entry entry, int oldest) {
        EncodedDialog dialog = entry.dialog();
        return new DialogSpill.Entry(
                entry.key(),
                entry.place(),
                entry.source(),
                new EncodedDialog(
                        Arrays.copyOfRange(dialog.ids(), oldest, dialog.length()),
                        Arrays.copyOfRange(dialog.mask(), oldest, dialog.length())));
    }

    private void count(DialogSpill.Entry entry) {
        SampleCounts count = counts[entry.source()];
        count.dialogs++;
        count.tokens += entry.dialog().length();
        count.trained += entry.dialog().trained();
    }

    private void write(DialogSpill.Entry entry) {
        if (buffer.remaining() < entry.bytes()) {
            file.append(buffer.flip());
            buffer.clear();
            if (buffer.capacity() < entry.bytes()) {
                buffer = DialogSpill.buffer(entry.bytes());
            }
        }
        entry.put(buffer);
        written += entry.bytes();
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
        file.append(buffer.flip());
        buffer.clear();
    }

    /** Some neighbouring rows; only their part of the file is mapped, so that memory stays bounded. */
    Reader read(int firstRow, int rowCount, Arena arena) {
        return new Reader(starts[firstRow], file.map(starts[firstRow], starts[firstRow + rowCount], arena));
    }

    /** Fills in rows. */
    final class Reader {
        private final long offset;
        private final DialogSpill.Contents contents;

        private Reader(long offset, DialogSpill.Contents contents) {
            this.offset = offset;
            this.contents = contents;
        }

        /**
         * Writes row {@code row}, padded on the left.
         *
         * @param ids rowTokens token ids
         * @param mask 1 where a token is trained
         * @param sequences 0 for padding, and 1, 2, … for the dialogs of the row
         */
        void row(int row, int padId, int[] ids, byte[] mask, int[] sequences) {
            long begin = starts[row] - offset;
            long end = starts[row + 1] - offset;
            int tokens = 0;
            for (long at = begin; at < end; at = contents.next(at)) {
                tokens += contents.length(at);
            }
            int to = rowTokens - tokens;
            Arrays.fill(ids, 0, to, padId);
            Arrays.fill(mask, 0, to, (byte) 0);
            Arrays.fill(sequences, 0, to, 0);
            int sequence = 0;
            for (long at = begin; at < end; at = contents.next(at)) {
                EncodedDialog dialog = contents.dialog(at);
                System.arraycopy(dialog.ids(), 0, ids, to, dialog.length());
                System.arraycopy(dialog.mask(), 0, mask, to, dialog.length());
                Arrays.fill(sequences, to, to + dialog.length(), ++sequence);
                to += dialog.length();
            }
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
