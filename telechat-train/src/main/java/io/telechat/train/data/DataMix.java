// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * What to learn from, in stages that follow each other. The file is either the reference's {@code data.json}, {@code
 * {"file.jsonl": 1.0, "more/*.jsonl": 0.5}}, which is one stage; or a curriculum:
 * {@code {"stages": [{"share": 0.7, "data": {"easy.jsonl": 1}}, {"share": 0.3, "data": {"hard.jsonl": 2}}]}}.
 */
public record DataMix(List<Stage> stages) {
    private static final double MAX_WEIGHT = 10_000;
    private static final Set<String> DIALOG_FIELDS = Set.of(
            "input", "output", "messages", "conversations", "instruction", "prompt", "response", "question", "text");

    /**
     * @param share of all samples
     * @param sources in the order in which the file names them; what a pattern matches, by name
     */
    public record Stage(double share, List<DataSource> sources) {}

    /**
     * @param file as above, or data themselves, which then are all there is
     * @param format of all sources
     * @throws InvalidModelException if the file or something in it is missing or makes no sense
     */
    public static DataMix read(Path file, DataFormat format) {
        Optional<JsonNode> mix = readMix(file, format);
        if (mix.isEmpty()) {
            DataSource all = new DataSource(file.getFileName().toString(), file, 1, format);
            return new DataMix(List.of(new Stage(1, List.of(all))));
        }
        JsonNode json = mix.get();
        if (!json.has("stages")) {
            return new DataMix(List.of(new Stage(1, sources(file, json, format))));
        }
        List<Stage> stages = new ArrayList<>();
        double sum = 0;
        for (JsonNode stage : json.get("stages")) {
            double share = stage.path("share").asDouble(Double.NaN);
            if (!(share > 0)) {
                throw new InvalidModelException(
                        "%s: stage %d needs a \"share\" of the samples above 0", file, stages.size() + 1);
            }
            sum += share;
            stages.add(new Stage(share, sources(file, stage.path("data"), format)));
        }
        if (stages.isEmpty() || Math.abs(sum - 1) > 1e-6) {
            throw new InvalidModelException("%s: the stages' shares must add up to 1, not %s", file, sum);
        }
        return new DataMix(stages);
    }

    /** Nothing if the file holds data. */
    private static Optional<JsonNode> readMix(Path file, DataFormat format) {
        boolean named = format.container().isPresent() && format.container().get() != Container.JSON;
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file)
                && (named || name.matches(".*\\.(jsonl|ndjson|csv|tsv|parquet|txt|md)|.*\\.(gz|zst|bz2|xz)"))) {
            return Optional.empty();
        }
        try {
            JsonNode json = JsonFiles.readObject(file);
            boolean data = json.properties().stream()
                    .anyMatch(e ->
                            DIALOG_FIELDS.contains(e.getKey()) && !e.getValue().isNumber());
            return data ? Optional.empty() : Optional.of(json);
        } catch (InvalidModelException e) {
            if (e.getMessage().contains("behind the JSON") || e.getMessage().contains("not a JSON object")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** All sources of all stages. */
    public List<DataSource> sources() {
        return stages.stream().flatMap(s -> s.sources().stream()).toList();
    }

    private static List<DataSource> sources(Path mix, JsonNode json, DataFormat format) {
        List<DataSource> sources = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            double weight = entry.getValue().isNumber() ? entry.getValue().asDouble() : Double.NaN;
            if (!(weight > 0 && weight <= MAX_WEIGHT)) {
                throw new InvalidModelException(
                        "%s: '%s' has weight %s; a weight is a number above 0 and at most %,.0f",
                        mix, entry.getKey(), entry.getValue(), MAX_WEIGHT);
            }
            try {
                files(mix, entry.getKey())
                        .forEach((name, file) -> sources.add(new DataSource(name, file, weight, format)));
            } catch (InvalidPathException | PatternSyntaxException e) {
                throw new InvalidModelException(e, "%s: '%s' is neither a path nor a pattern", mix, entry.getKey());
            }
        }
        if (sources.isEmpty()) {
            throw new InvalidModelException("%s: names no files; expected {\"file.jsonl\": weight, …}", mix);
        }
        return sources;
    }

    /**
     * Relative paths start where the mix lies, or else in the working directory.
     *
     * @return the files by their paths as the mix names them
     */
    private static Map<String, Path> files(Path mix, String pattern) {
        Path base = mix.toAbsolutePath().getParent();
        for (Path path : List.of(base.resolve(pattern), Path.of(pattern).toAbsolutePath())) {
            if (Files.isRegularFile(path)) {
                return Map.of(pattern, path);
            }
        }
        if (pattern.matches(".*[*?\\[{].*")) {
            for (Path directory : List.of(base, Path.of("").toAbsolutePath())) {
                Map<String, Path> found = matches(directory, pattern);
                if (!found.isEmpty()) {
                    return found;
                }
            }
        }
        throw new InvalidModelException(
                "%s: there is no file '%s', neither in %s nor in the working directory", mix, pattern, base);
    }

    /** Only what the pattern says is a pattern; the directory's own name may hold any character. */
    private static Map<String, Path> matches(Path directory, String pattern) {
        int wild = pattern.split("[*?\\[{]", 2)[0].lastIndexOf('/') + 1;
        String glob = pattern.substring(wild);
        Path start = directory.resolve(pattern.substring(0, wild));
        if (!Files.isDirectory(start)) {
            return Map.of();
        }
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
        int depth = glob.contains("**") ? Integer.MAX_VALUE : Path.of(glob).getNameCount();
        try (Stream<Path> walk = Files.walk(start, depth)) {
            Map<String, Path> found = new LinkedHashMap<>();
            walk.filter(file -> matcher.matches(start.relativize(file)))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .forEach(file -> found.put(pattern.substring(0, wild) + start.relativize(file), file));
            return found;
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be listed: %s", start, IoReason.of(e));
        }
    }
}
