// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.score.Mean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a run has come to.
 *
 * @param model whose answers were judged
 * @param other whose they were compared with
 * @param judge who judged
 * @param dimensions in the order of the dialogs
 * @param names of dimensions, for people, of those that have one
 * @param languages of the dialogs
 * @param all dialogs together
 * @param firstFailure why the first dialog without a verdict has none
 */
public record JudgeResults(
        String model,
        Optional<String> other,
        String judge,
        Map<String, Tally> dimensions,
        Map<String, String> names,
        Map<String, Tally> languages,
        Tally all,
        Optional<String> firstFailure) {

    /** Where each dimension counts the same; those without a verdict are left out. Empty if all are. */
    public Optional<Mean> overDimensions() {
        List<Mean> means = dimensions.values().stream()
                .flatMap(tally -> tally.mean().stream())
                .toList();
        if (means.isEmpty()) {
            return Optional.empty();
        }
        boolean known = means.stream().allMatch(m -> m.standardError().isPresent());
        double squares = means.stream()
                .mapToDouble(m -> m.standardError().orElse(0))
                .map(e -> e * e)
                .sum();
        OptionalDouble error = known ? OptionalDouble.of(Math.sqrt(squares) / means.size()) : OptionalDouble.empty();
        return Optional.of(new Mean(means.size(), Mean.unweighted(means), error));
    }

    /** As {@code results.json} has it. */
    public ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("model", model);
        other.ifPresent(name -> json.put("versus", name));
        json.put("judge", judge);
        ObjectNode parts = json.putObject("dimensions");
        dimensions.forEach((dimension, tally) -> {
            ObjectNode part = parts.putObject(dimension);
            Optional.ofNullable(names.get(dimension)).ifPresent(name -> part.put("name", name));
            part.setAll(tally.json(other.isPresent()));
        });
        ObjectNode byLanguage = json.putObject("languages");
        languages.forEach((language, tally) -> byLanguage.set(language, tally.json(other.isPresent())));
        ObjectNode whole = json.putObject("all");
        whole.setAll(all.json(other.isPresent()));
        overDimensions().ifPresent(mean -> {
            whole.put("mean_of_dimensions", mean.value());
            mean.standardError().ifPresent(e -> whole.put("mean_of_dimensions_stderr", e));
        });
        return json;
    }

    /** For people: a line for each dimension, each language, and all. */
    public String table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(
                other.isPresent()
                        ? List.of("", "win %", "95 %", "wins", "ties", "losses", "inconsistent", "failed")
                        : List.of("", "score", "stderr", "n", "failed"));
        dimensions.forEach((dimension, tally) -> rows.add(row(dimension, tally)));
        rows.add(List.of());
        if (languages.size() > 1) {
            languages.forEach((language, tally) -> rows.add(row(language, tally)));
        }
        rows.add(row("all dialogs", all));
        overDimensions().ifPresent(mean -> rows.add(means("mean of dimensions", mean)));
        return aligned(rows);
    }

    private List<String> row(String name, Tally tally) {
        List<String> row = new ArrayList<>();
        row.add(name);
        if (other.isPresent()) {
            row.add(tally.mean().map(m -> number(100 * m.value())).orElse("-"));
            row.add(tally.winRate()
                    .map(i -> number(100 * i.from()) + ".." + number(100 * i.to()))
                    .orElse("-"));
            for (int count : List.of(tally.wins(), tally.ties(), tally.losses(), tally.inconsistent())) {
                row.add(Integer.toString(count));
            }
        } else {
            row.addAll(means(name, tally.mean()).subList(1, 3));
            row.add(Integer.toString(tally.count()));
        }
        row.add(Integer.toString(tally.failures()));
        Optional.ofNullable(names.get(name)).ifPresent(row::add);
        return row;
    }

    private List<String> means(String name, Mean mean) {
        double scale = other.isPresent() ? 100 : 1;
        return other.isPresent()
                ? List.of(name, number(scale * mean.value()))
                : List.of(
                        name,
                        number(mean.value()),
                        mean.standardError().isPresent()
                                ? number(mean.standardError().getAsDouble())
                                : "-");
    }

    private List<String> means(String name, Optional<Mean> mean) {
        return mean.map(m -> means(name, m)).orElse(List.of(name, "-", "-"));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    /** The first column to the left, numbers to the right, and behind them what names there are. */
    private static String aligned(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        Map<Integer, Integer> widths = new LinkedHashMap<>();
        for (List<String> row : rows) {
            for (int i = 0; i < Math.min(columns, row.size()); i++) {
                widths.merge(i, row.get(i).length(), Math::max);
            }
        }
        StringBuilder table = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                String cell = row.get(i);
                String blanks = " ".repeat(Math.max(0, widths.getOrDefault(i, 0) - cell.length()));
                line.append(i == 0 ? cell + blanks : "  " + blanks + cell);
            }
            table.append(line.toString().stripTrailing()).append('\n');
        }
        return table.toString();
    }
}
