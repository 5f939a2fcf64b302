// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;

/** Records, a line of JSON each. */
final class RecordStream extends InputStream {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Iterator<JsonNode> records;
    private final Closeable source;
    private byte[] line = new byte[0];
    private int at;

    /** @param source closed with this stream */
    RecordStream(Iterator<JsonNode> records, Closeable source) {
        this.records = records;
        this.source = source;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
        while (at == line.length) {
            if (!records.hasNext()) {
                return -1;
            }
            byte[] json = MAPPER.writeValueAsBytes(records.next());
            line = new byte[json.length + 1];
            System.arraycopy(json, 0, line, 0, json.length);
            line[json.length] = '\n';
            at = 0;
        }
        int count = Math.min(length, line.length - at);
        System.arraycopy(line, at, to, from, count);
        at += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
