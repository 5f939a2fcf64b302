// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.github.luben.zstd.ZstdInputStream;
import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.Downloads;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.XZInputStream;

/** Opens files of data, whatever their container and compression, as lines of JSON. */
final class DataFiles {
    private static final int BUFFER = 1 << 16;
    private static final int HEAD = 512;

    private static final String GZIP = "1f8b";
    private static final String ZSTD = "28b52ffd";
    private static final String XZ = "fd377a585a00";
    private static final String BZIP2 = "425a68";
    private static final byte[] PARQUET = "PAR1".getBytes(StandardCharsets.US_ASCII);

    /** First bytes of what people have and is not read here. */
    private static final Map<String, Message> OTHERS = new LinkedHashMap<>();

    static {
        OTHERS.put("4152524f5731", Message.of("an Arrow file"));
        OTHERS.put("ffffffff", Message.of("an Arrow stream"));
        OTHERS.put("4f626a01", Message.of("Avro"));
        OTHERS.put("4f5243", Message.of("ORC"));
        OTHERS.put("504b0304", Message.of("a ZIP archive (or Excel, or Word)"));
        OTHERS.put("25504446", Message.of("PDF"));
        OTHERS.put("53514c69746520666f726d6174", Message.of("an SQLite database"));
        OTHERS.put("894844460d0a1a0a", Message.of("HDF5"));
        OTHERS.put("377abcaf271c", Message.of("a 7z archive"));
        OTHERS.put("8002", Message.of("a Python pickle"));
        OTHERS.put("8003", Message.of("a Python pickle"));
        OTHERS.put("8004", Message.of("a Python pickle"));
        OTHERS.put("8005", Message.of("a Python pickle"));
        OTHERS.put("fffe", Message.of("UTF-16"));
        OTHERS.put("feff", Message.of("UTF-16"));
    }

    private DataFiles() {}

    /**
     * @param raw the file from its beginning; closed with what is returned
     * @param named its container, if that was said
     * @return a JSON object a line, UTF-8; lines of a file that has such are passed on as they are
     * @throws InvalidInputException if the file is something else
     */
    static InputStream lines(Path file, InputStream raw, Optional<Container> named) throws IOException {
        BufferedInputStream in = decompressed(new BufferedInputStream(raw, BUFFER));
        byte[] head = head(in);
        Container found = named.orElseGet(() -> container(file, head));
        requireReadable(file, head, found);
        return switch (found) {
            case JSONL -> in;
            case JSON -> new RecordStream(new JsonRecords(in), in);
            case CSV -> new RecordStream(new CsvRecords(in, separator(head)), in);
            case TSV -> new RecordStream(new CsvRecords(in, '\t'), in);
            case TEXT -> new RecordStream(new Paragraphs(in), in);
            case PARQUET -> {
                ParquetRecords rows = new ParquetRecords(file);
                yield new RecordStream(rows, () -> {
                    rows.close();
                    in.close();
                });
            }
        };
    }

    private static BufferedInputStream decompressed(BufferedInputStream in) throws IOException {
        String magic = HexFormat.of().formatHex(head(in));
        InputStream plain = magic.startsWith(GZIP)
                ? new GZIPInputStream(in, BUFFER)
                : magic.startsWith(ZSTD)
                        ? new ZstdInputStream(in)
                        : magic.startsWith(XZ)
                                ? new XZInputStream(in)
                                : magic.startsWith(BZIP2) ? new BZip2CompressorInputStream(in, true) : in;
        return plain == in ? in : new BufferedInputStream(plain, BUFFER);
    }

    private static byte[] head(BufferedInputStream in) throws IOException {
        in.mark(HEAD);
        byte[] head = in.readNBytes(HEAD);
        in.reset();
        return head;
    }

    /** By its first bytes, or else by its name. */
    private static Container container(Path file, byte[] head) {
        if (startsWith(head, PARQUET)) {
            return Container.PARQUET;
        }
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT).replaceFirst("\\.(gz|zst|xz|bz2)$", "");
        String text = new String(head, StandardCharsets.UTF_8)
                .replaceFirst("^\ufeff", "")
                .stripLeading();
        if (name.endsWith(".csv")) {
            return Container.CSV;
        }
        if (name.endsWith(".tsv")) {
            return Container.TSV;
        }
        if (name.endsWith(".txt") || name.endsWith(".md")) {
            return Container.TEXT;
        }
        boolean indented = !name.matches(".*\\.(jsonl|ndjson)") && text.matches("(?s)\\{\\s*\\n.*");
        return text.startsWith("[") || indented ? Container.JSON : Container.JSONL;
    }

    private static void requireReadable(Path file, byte[] head, Container found) {
        Downloads.complaint(head).ifPresent(what -> {
            throw new InvalidInputException("%s: %s", file, what);
        });
        boolean parquet = startsWith(head, PARQUET);
        if (parquet != (found == Container.PARQUET) && head.length > 0) {
            throw parquet
                    ? new InvalidInputException("%s: this is Parquet, not %s", file, found)
                    : new InvalidInputException("%s: this is not Parquet", file);
        }
        String magic = HexFormat.of().formatHex(head);
        OTHERS.forEach((start, what) -> {
            if (magic.startsWith(start)) {
                throw new InvalidInputException(
                        "%s: this is %s; convert it to JSON lines, CSV or Parquet, in UTF-8", file, what);
            }
        });
    }

    private static boolean startsWith(byte[] head, byte[] magic) {
        return head.length >= magic.length && Arrays.equals(head, 0, magic.length, magic, 0, magic.length);
    }

    /** As spreadsheets write it where the comma is part of numbers. */
    private static char separator(byte[] head) {
        String header =
                new String(head, StandardCharsets.UTF_8).lines().findFirst().orElse("");
        return header.indexOf(',') < 0 && header.indexOf(';') >= 0 ? ';' : ',';
    }
}
