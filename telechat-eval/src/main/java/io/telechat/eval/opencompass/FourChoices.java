// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.data.CsvRows;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * CSV files of questions with four choices, behind examples of another file.
 *
 * @param numbered whether rows begin with their number, and the first one is a header
 * @param columns names of the others, as templates have them; the last is the answer
 * @param rule for an answer, given the right one
 */
record FourChoices(boolean numbered, List<String> columns, Function<Optional<String>, OneWayRule> rule) {
    private String answer() {
        return columns.getLast();
    }

    /**
     * The questions of one file behind the first examples of another.
     *
     * @param example a question that is answered
     * @param question up to where the answer begins
     * @return empty if one of the files is missing, which the source notes
     */
    Optional<Subtask> subtask(
            String name, Template example, Template question, String examples, String questions, TaskSource source) {
        Optional<Path> test = source.optional(questions);
        Optional<Path> dev = source.shots() == 0 ? Optional.empty() : source.optional(examples);
        if (test.isEmpty() || source.shots() > 0 && dev.isEmpty()) {
            return Optional.empty();
        }
        Template shots = Template.EMPTY;
        if (dev.isPresent()) {
            for (Fields row : Examples.first(rows(dev.get()), source, dev.get())) {
                shots = shots.then(example.filled(row));
            }
        }
        Template template = shots.then(question);
        List<Item> items = new ArrayList<>();
        for (Fields row : source.limited(rows(test.get()))) {
            items.add(new Item(
                    items.size(),
                    template.filled(row.with(answer(), "")).dialog(),
                    rule.apply(Optional.of(row.byName().get(answer()))).query(List.of(), OptionalInt.empty())));
        }
        return Optional.of(new Subtask(Optional.of(name), items));
    }

    private List<Fields> rows(Path file) {
        int first = numbered ? 1 : 0;
        return CsvRows.read(file, first + columns.size()).stream()
                .skip(first)
                .map(cells -> fields(cells, first))
                .toList();
    }

    private Fields fields(String[] cells, int first) {
        Fields fields = Fields.NONE;
        for (int i = 0; i < columns.size(); i++) {
            fields = fields.with(columns.get(i), Lines.withLineFeeds(cells[first + i]));
        }
        return fields;
    }
}
