// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonReason;
import io.telechat.core.checkpoint.TextFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Comma-separated values with quotes as RFC 4180 has them; every cell is a text. */
public final class CsvRows {
    private static final CsvMapper MAPPER =
            CsvMapper.builder().enable(CsvParser.Feature.WRAP_AS_ARRAY).build();

    private CsvRows() {}

    /**
     * All rows, the header among them if there is one.
     *
     * @param columns how many each row has
     * @throws InvalidInputException if the file cannot be read, or a row has another number of cells
     */
    public static List<String[]> read(Path file, int columns) {
        List<String[]> rows;
        try (MappingIterator<String[]> parsed =
                MAPPER.readerFor(String[].class).readValues(TextFiles.withoutMark(TextFiles.read(file)))) {
            rows = parsed.readAll();
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(e, "%s: cannot be read as CSV: %s", file, JsonReason.of(e));
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
        for (int i = 0; i < rows.size(); i++) {
            if (rows.get(i).length != columns) {
                throw new InvalidInputException(
                        "%s: row %d has %d cells, must have %d", file, i + 1, rows.get(i).length, columns);
            }
        }
        return rows;
    }
}
