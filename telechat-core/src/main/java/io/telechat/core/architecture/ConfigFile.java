// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.JsonFiles;
import java.nio.file.Path;

/** A config.json whose values are checked when they are read; every complaint names the file, the key and the value. */
public final class ConfigFile {
    private final Path path;
    private final JsonNode json;

    private ConfigFile(Path path, JsonNode json) {
        this.path = path;
        this.json = json;
    }

    /** @throws InvalidModelException if the file is missing, or is not a JSON object */
    public static ConfigFile read(Path path) {
        return new ConfigFile(path, JsonFiles.readObject(path));
    }

    public Path path() {
        return path;
    }

    public boolean has(String key) {
        return json.hasNonNull(key);
    }

    public boolean flag(String key, boolean fallback) {
        return has(key) ? json.get(key).asBoolean(fallback) : fallback;
    }

    public String text(String key, String fallback) {
        return has(key) ? json.get(key).asText(fallback) : fallback;
    }

    /**
     * Refuses a checkpoint that asks for something else than what we compute.
     *
     * @param only the one value that the key may have, if it is there
     */
    public void require(String key, String only) {
        if (has(key) && !json.get(key).asText().equals(only)) {
            throw new InvalidModelException("%s: '%s' is %s; of this flavour, telechat computes %s only"
                    .formatted(path, key, shorten(json.get(key)), only));
        }
    }

    /** An integer in [1, max]. */
    public int positive(String key, int max) {
        JsonNode value = json.get(key);
        if (value == null || value.isNull()) {
            throw new InvalidModelException("%s: '%s' is missing".formatted(path, key));
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1 || value.intValue() > max) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be an integer from 1 to %,d".formatted(path, key, shorten(value), max));
        }
        return value.intValue();
    }

    /** Likewise, for a key that may be absent or null. */
    public int positive(String key, int max, int fallback) {
        return has(key) ? positive(key, max) : fallback;
    }

    /** A finite number above 0. */
    public double positiveNumber(String key, double fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = json.get(key);
        if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
            throw new InvalidModelException(
                    "%s: '%s' is %s, must be a number above 0".formatted(path, key, shorten(value)));
        }
        return value.doubleValue();
    }

    /** {@code whole / part}, which must come out even. */
    public int divide(String wholeKey, int whole, String partKey, int part) {
        if (whole % part != 0) {
            throw new InvalidModelException(
                    "%s: '%s' = %d cannot be divided by '%s' = %d".formatted(path, wholeKey, whole, partKey, part));
        }
        return whole / part;
    }

    private static String shorten(JsonNode value) {
        String text = value.toString();
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
