// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.Map;

/** Rows of a table with a header (RFC 4180). Empty cells are no fields; cells that hold lists in JSON are lists. */
final class CsvRecords implements Iterator<JsonNode> {
    private static final CsvMapper MAPPER =
            CsvMapper.builder().disable(StreamReadFeature.AUTO_CLOSE_SOURCE).build();

    private final MappingIterator<Map<String, String>> rows;

    CsvRecords(InputStream in, char separator) throws IOException {
        CsvSchema schema = CsvSchema.emptySchema().withHeader().withColumnSeparator(separator);
        this.rows = MAPPER.readerFor(Map.class).with(schema).readValues(in);
    }

    @Override
    public boolean hasNext() {
        return rows.hasNext();
    }

    @Override
    public JsonNode next() {
        ObjectNode record = JsonNodeFactory.instance.objectNode();
        rows.next().forEach((name, cell) -> {
            if (cell != null && !cell.isEmpty()) {
                record.set(name, value(cell));
            }
        });
        return record;
    }

    private static JsonNode value(String cell) {
        if (cell.startsWith("[{") || cell.startsWith("[[")) {
            try {
                return LineJson.READER.readTree(cell);
            } catch (IOException e) {
                return JsonNodeFactory.instance.textNode(cell); // text that begins so
            }
        }
        return JsonNodeFactory.instance.textNode(cell);
    }
}
