// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * What a run has measured.
 *
 * @param directory of the run
 * @param steps at least one, ascending
 * @param evaluations losses on the samples that are not trained
 * @param options of the run as text, if they were kept
 */
record RunMetrics(Path directory, List<Step> steps, Curve evaluations, Optional<String> options) {
    private static final String METRICS = "metrics.jsonl";
    private static final String OPTIONS = "config.yaml";
    private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * @param mfu NaN if the machine's peak was not known
     * @param time when it ended, if that was kept
     */
    record Step(
            long step,
            double loss,
            double rate,
            double gradientNorm,
            double tokensPerSecond,
            double rssMib,
            double mfu,
            Optional<Instant> time) {}

    /**
     * Reads {@code metrics.jsonl} and, if it is there, {@code config.yaml}. A last line without its end is left out: the run
     * may be writing it.
     *
     * @throws InvalidModelException if a file cannot be read, or a line is not what a run writes
     */
    static RunMetrics read(Path directory) {
        Path file = directory.resolve(METRICS);
        if (!Files.isRegularFile(file)) {
            throw new InvalidModelException("%s: there is no such file; give the --output-dir of telechat train", file);
        }
        String[] lines = text(file).split("\n", -1);
        List<Step> steps = new ArrayList<>();
        List<Curve.Point> evaluations = new ArrayList<>();
        for (int i = 0; i < lines.length; i++) {
            boolean whole = i < lines.length - 1;
            if (!lines[i].isBlank() && (whole || lines[i].endsWith("}"))) {
                add("%s:%d".formatted(file, i + 1), lines[i], steps, evaluations);
            }
        }
        if (steps.isEmpty()) {
            throw new InvalidModelException("%s: holds no step yet; wait for the run's first one", file);
        }
        Path options = directory.resolve(OPTIONS);
        return new RunMetrics(
                directory,
                steps,
                new Curve(evaluations),
                Files.isRegularFile(options) ? Optional.of(text(options)) : Optional.empty());
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
    }

    private static void add(String place, String line, List<Step> steps, List<Curve.Point> evaluations) {
        JsonNode json = parse(place, line);
        if (!json.path("step").canConvertToLong() || !json.path("step").isIntegralNumber()) {
            throw new InvalidModelException("%s: has no whole number 'step'", place);
        }
        long step = json.get("step").asLong();
        if (json.has("eval_loss")) {
            requireAscending(
                    place,
                    step,
                    evaluations.isEmpty() ? 0 : evaluations.getLast().step());
            evaluations.add(new Curve.Point(step, number(place, json, "eval_loss")));
            return;
        }
        requireAscending(place, step, steps.isEmpty() ? 0 : steps.getLast().step());
        steps.add(new Step(
                step,
                number(place, json, "loss"),
                number(place, json, "lr"),
                number(place, json, "grad_norm"),
                number(place, json, "tokens_per_s"),
                number(place, json, "rss_mib"),
                json.has("mfu") ? number(place, json, "mfu") : Double.NaN,
                time(place, json)));
    }

    private static Optional<Instant> time(String place, JsonNode json) {
        try {
            return json.has("time") ? Optional.of(Instant.parse(json.get("time").asText())) : Optional.empty();
        } catch (DateTimeParseException e) {
            throw new InvalidModelException(e, "%s: 'time' is no time", place);
        }
    }

    /** The value of an option of the run, if it was kept and given. */
    Optional<String> option(String name) {
        return options.flatMap(text -> text.lines()
                .filter(line -> line.startsWith(name + ":"))
                .findFirst()
                .map(line -> line.substring(name.length() + 1).strip().replaceAll("^[\"']|[\"']$", "")));
    }

    /** What was trained, in a word or two. */
    Optional<String> method() {
        return options.map(text -> {
            String weights = option("weights").map(type -> " on " + type).orElse("");
            return option("adapter")
                    .map(a -> "LoRA, from " + Path.of(a).getFileName())
                    .or(() -> option("lora-dim").map(rank -> "LoRA, rank " + rank))
                    .map(lora -> lora + weights)
                    .orElseGet(() -> "full, " + option("dtype").orElse("f32"));
        });
    }

    /** From the end of the first step to that of the last. */
    Optional<Duration> duration() {
        return steps.getFirst()
                .time()
                .flatMap(first -> steps.getLast().time().map(last -> Duration.between(first, last)));
    }

    private static JsonNode parse(String place, String line) {
        try {
            JsonNode json = MAPPER.readTree(line);
            if (!json.isObject()) {
                throw new InvalidModelException("%s: is not a JSON object", place);
            }
            return json;
        } catch (JsonProcessingException e) {
            throw new InvalidModelException(e, "%s: not valid JSON: %s", place, e.getOriginalMessage());
        }
    }

    private static void requireAscending(String place, long step, long before) {
        if (step <= before) {
            throw new InvalidModelException(
                    "%s: step %d comes behind step %d; do two runs write to this file?", place, step, before);
        }
    }

    private static double number(String place, JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (value.isTextual() && NOT_FINITE.contains(value.asText())) {
            return Double.parseDouble(value.asText());
        }
        if (!value.isNumber()) {
            throw new InvalidModelException("%s: has no number '%s'", place, field);
        }
        return value.asDouble();
    }

    Curve curve(ToDoubleFunction<Step> quantity) {
        return new Curve(steps.stream()
                .map(s -> new Curve.Point(s.step(), quantity.applyAsDouble(s)))
                .toList());
    }
}
