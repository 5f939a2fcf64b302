// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.InvalidModelException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model in one GGUF file, or in several that were split, of which the first has the metadata.
 *
 * @param tensors by their names in the files
 */
public record GgufModel(GgufMetadata metadata, Map<String, GgufFile.Stored> tensors) {
    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    /**
     * @param path of the file, or of the first part
     * @param map brings a file into memory
     * @throws InvalidModelException if one is not what the format asks for, or they don't belong together
     */
    public static GgufModel open(Path path, Function<Path, MemorySegment> map) {
        GgufFile first = GgufFile.read(path, map.apply(path));
        GgufMetadata metadata = first.metadata();
        int parts = metadata.integer("split.count").orElse(1);
        Map<String, GgufFile.Stored> tensors = new LinkedHashMap<>(first.tensors());
        if (parts > 1) {
            Matcher name = PART.matcher(path.getFileName().toString());
            if (metadata.integer("split.no").orElse(0) != 0
                    || !name.matches()
                    || Integer.parseInt(name.group(2)) != 1
                    || Integer.parseInt(name.group(3)) != parts) {
                throw new InvalidModelException(
                        "%s: is a part of a model in %d files; give the first, NAME-00001-of-%05d.gguf",
                        path, parts, parts);
            }
            for (int i = 1; i < parts; i++) {
                Path next = path.resolveSibling("%s-%05d-of-%05d.gguf".formatted(name.group(1), i + 1, parts));
                add(GgufFile.read(next, map.apply(next)), i, tensors);
            }
        }
        return new GgufModel(metadata, tensors);
    }

    private static void add(GgufFile part, int number, Map<String, GgufFile.Stored> tensors) {
        if (part.metadata().integer("split.no").orElse(-1) != number) {
            throw new InvalidModelException("%s: is not the part that its name says", part.path());
        }
        part.tensors().forEach((name, tensor) -> {
            if (tensors.put(name, tensor) != null) {
                throw new InvalidModelException("%s: tensor '%s' is in another file, too", part.path(), name);
            }
        });
    }

    /** Whether a file name is that of a further part, which is not opened on its own. */
    public static boolean isFurtherPart(Path path) {
        Matcher name = PART.matcher(path.getFileName().toString());
        return name.matches() && Integer.parseInt(name.group(2)) != 1;
    }

    public Path path() {
        return metadata.path();
    }

    /** What llama.cpp calls the architecture. */
    public String architecture() {
        return metadata.text("general.architecture").orElseThrow(() -> metadata.missing("general.architecture"));
    }

    /** Elements of a head of queries and keys. */
    public int headDim() {
        String prefix = architecture() + ".";
        int hidden = metadata.requiredInteger(prefix + "embedding_length");
        int heads = metadata.requiredInteger(prefix + "attention.head_count");
        int headDim = metadata.integer(prefix + "attention.key_length").orElse(heads == 0 ? 0 : hidden / heads);
        if (headDim < 1 || headDim % 2 != 0) {
            throw new InvalidModelException("%s: heads of %d elements cannot be rotated", path(), headDim);
        }
        return headDim;
    }

    /** Whether query and key have the row order of {@link RotatedRows}. */
    public boolean hasRotatedRows() {
        return architecture().equals(GgufConfig.LLAMA);
    }
}
