// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.CsvRows;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Prompt.Shot;
import io.telechat.eval.task.Query.Choice;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.TaskSource;
import io.telechat.eval.text.PythonText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * CSV files of questions with four choices, which are answered by a letter.
 *
 * @param numbered whether rows begin with their number, and the first one is a header
 * @param answer what asks for the letter
 * @param normalized whether the letters' likelihoods by character are scored, too
 */
record FourChoices(boolean numbered, String answer, boolean normalized) {
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");
    private static final String DELIMITER = " ";

    /** A row of a file: a question as it is put, and the place of the right answer. */
    private record Row(String question, int right) {
        Shot shot() {
            return new Shot(question, LETTERS.get(right));
        }
    }

    /**
     * The questions of one file behind the first examples of another.
     *
     * @return empty if one of the files is missing, which the source notes
     */
    Optional<Subtask> subtask(String name, String description, String examples, String questions, TaskSource source) {
        Optional<Path> test = source.optional(questions);
        Optional<Path> dev = source.shots() == 0 ? Optional.empty() : source.optional(examples);
        if (test.isEmpty() || source.shots() > 0 && dev.isEmpty()) {
            return Optional.empty();
        }
        List<Shot> shots = dev.map(file ->
                        Examples.first(rows(file).stream().map(Row::shot).toList(), source, file))
                .orElse(List.of());
        List<Item> items = new ArrayList<>();
        for (Row row : source.limited(rows(test.get()))) {
            items.add(new Item(
                    items.size(),
                    new FewShot(description, shots, row.question, DELIMITER),
                    new Choice(LETTERS, DELIMITER, Set.of(row.right), false, normalized)));
        }
        return Optional.of(new Subtask(Optional.of(name), items));
    }

    private List<Row> rows(Path file) {
        int first = numbered ? 1 : 0;
        List<String[]> cells = CsvRows.read(file, first + LETTERS.size() + 2);
        List<Row> rows = new ArrayList<>();
        for (int i = first; i < cells.size(); i++) {
            String[] row = cells.get(i);
            int right = LETTERS.indexOf(row[row.length - 1]);
            if (right < 0) {
                throw new InvalidInputException(
                        "%s: row %d: the answer must be A, B, C or D, is \"%s\"", file, i + 1, row[row.length - 1]);
            }
            rows.add(new Row(question(row, first), right));
        }
        return rows;
    }

    private String question(String[] row, int column) {
        StringBuilder text = new StringBuilder(PythonText.strip(row[column]));
        for (int i = 0; i < LETTERS.size(); i++) {
            text.append('\n').append(LETTERS.get(i)).append(". ").append(row[column + 1 + i]);
        }
        return text.append('\n').append(answer).toString();
    }
}
