// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqMap;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import java.io.Closeable;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The rows of a Parquet file; what is null is no field. */
final class ParquetRecords implements Iterator<JsonNode>, Closeable {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    /** Held, or its level would be forgotten: which instructions it uses is no news. */
    private static final Logger HARDWOOD = Logger.getLogger("dev.hardwood");

    static {
        HARDWOOD.setLevel(Level.WARNING);
    }

    private final ParquetFileReader file;
    private final RowReader rows;

    ParquetRecords(Path path) throws IOException {
        try {
            this.file = ParquetFileReader.open(InputFile.of(path));
        } catch (RuntimeException e) {
            throw damaged(e);
        }
        this.rows = file.rowReader();
    }

    private static IOException damaged(RuntimeException e) {
        return new IOException("damaged Parquet: " + e.getMessage(), e);
    }

    @Override
    public boolean hasNext() {
        return rows.hasNext();
    }

    @Override
    public JsonNode next() {
        rows.next();
        return object(rows);
    }

    private static ObjectNode object(StructAccessor struct) {
        ObjectNode object = JSON.objectNode();
        for (int i = 0; i < struct.getFieldCount(); i++) {
            if (!struct.isNull(i)) {
                object.set(struct.getFieldName(i), value(struct.getValue(i)));
            }
        }
        return object;
    }

    private static JsonNode value(Object value) {
        return switch (value) {
            case null -> JSON.nullNode();
            case PqStruct struct -> object(struct);
            case PqList list -> {
                ArrayNode array = JSON.arrayNode();
                for (int i = 0; i < list.size(); i++) {
                    array.add(list.isNull(i) ? JSON.nullNode() : value(list.get(i)));
                }
                yield array;
            }
            case PqMap map -> {
                ObjectNode object = JSON.objectNode();
                map.getEntries().forEach(e -> object.set(String.valueOf(e.getKey()), value(e.getValue())));
                yield object;
            }
            case Boolean flag -> JSON.booleanNode(flag);
            case Integer number -> JSON.numberNode(number);
            case Long number -> JSON.numberNode(number);
            case Float number -> JSON.numberNode(number);
            case Double number -> JSON.numberNode(number);
            case BigDecimal number -> JSON.numberNode(number);
            case byte[] bytes ->
                JSON.textNode(new String(bytes, StandardCharsets.UTF_8)); // older writers do not mark text
            default -> JSON.textNode(value.toString());
        };
    }

    @Override
    public void close() throws IOException {
        rows.close();
        file.close();
    }
}
