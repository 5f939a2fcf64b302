// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.Message;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What has become of the lines of a batch.
 *
 * @param number of the batch
 * @param source index into the list of sources
 * @param lines all that are not blank
 */
record EncodedBatch(int number, int source, List<Line> lines) {
    /**
     * A line, or why no sample can be made of it.
     *
     * @param number in its file, from 1
     */
    record Line(long number, Optional<DialogEncoder.Encoded> encoded, Optional<BadLineException> error) {}

    /** @param form of the records, if it is not to be recognised */
    static EncodedBatch of(LineBatches.Batch batch, Optional<DialogForm> form, DialogEncoder encoder) {
        List<Line> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < batch.ends().length; i++) {
            int end = batch.ends()[i];
            if (!isBlank(batch.bytes(), from, end)) {
                long number = batch.firstLine() + i;
                try {
                    DialogEncoder.Encoded encoded =
                            encoder.encode(DialogForm.normalized(LineJson.object(batch.bytes(), from, end), form));
                    lines.add(new Line(number, Optional.of(encoded), Optional.empty()));
                } catch (BadLineException e) {
                    lines.add(new Line(number, Optional.empty(), Optional.of(e)));
                }
            }
            from = end + 1;
        }
        return new EncodedBatch(batch.number(), batch.source(), lines);
    }

    private static boolean isBlank(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    /** For another rank. */
    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(number);
            out.writeInt(source);
            out.writeInt(lines.size());
            for (Line line : lines) {
                out.writeLong(line.number());
                if (line.error().isPresent()) {
                    out.writeInt(-1 - line.error().get().reason().ordinal());
                    out.writeUTF(line.error().get().detail());
                } else {
                    write(out, line.encoded().orElseThrow());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, DialogEncoder.Encoded encoded) throws IOException {
        out.writeInt(encoded.dialogs().size());
        out.writeInt(encoded.tooLong());
        out.writeInt(encoded.wholeLength());
        for (EncodedDialog dialog : encoded.dialogs()) {
            out.writeInt(dialog.length());
            for (int id : dialog.ids()) {
                out.writeInt(id);
            }
            out.write(dialog.mask());
        }
    }

    /** What {@link #toBytes} has written. */
    static EncodedBatch read(DataInputStream in) throws IOException {
        int number = in.readInt();
        int source = in.readInt();
        int count = in.readInt();
        List<Line> lines = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long line = in.readLong();
            int dialogs = in.readInt();
            if (dialogs < 0) {
                BadLineException.Reason reason = BadLineException.Reason.values()[-1 - dialogs];
                String detail = in.readUTF();
                Message message = detail.isEmpty() ? Message.of("") : Message.of("%s", detail);
                lines.add(new Line(line, Optional.empty(), Optional.of(new BadLineException(reason, message))));
            } else {
                lines.add(new Line(line, Optional.of(readEncoded(in, dialogs)), Optional.empty()));
            }
        }
        return new EncodedBatch(number, source, lines);
    }

    private static DialogEncoder.Encoded readEncoded(DataInputStream in, int count) throws IOException {
        int tooLong = in.readInt();
        int wholeLength = in.readInt();
        List<EncodedDialog> dialogs = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int[] ids = new int[in.readInt()];
            for (int j = 0; j < ids.length; j++) {
                ids[j] = in.readInt();
            }
            dialogs.add(new EncodedDialog(ids, in.readNBytes(ids.length)));
        }
        return new DialogEncoder.Encoded(dialogs, tooLong, wholeLength);
    }
}
