// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** Rows of plain text in columns, for terminals: characters of East Asia take two places. */
final class TextTable {
    private static final String BETWEEN = "  ";
    private final List<Boolean> right = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    TextTable() {
        rows.add(new ArrayList<>());
    }

    /** A column that begins on the left. */
    TextTable left(String heading) {
        rows.getFirst().add(heading);
        right.add(false);
        return this;
    }

    /** A column that ends on the right. */
    TextTable right(String heading) {
        rows.getFirst().add(heading);
        right.add(true);
        return this;
    }

    void row(List<String> cells) {
        rows.add(List.copyOf(cells));
    }

    /** All of it; columns that are empty below their heading are left out. */
    @Override
    public String toString() {
        List<Integer> columns = IntStream.range(0, right.size())
                .filter(c -> rows.stream().skip(1).anyMatch(row -> !row.get(c).isEmpty()))
                .boxed()
                .toList();
        List<Integer> widths = columns.stream()
                .map(c -> rows.stream().mapToInt(row -> width(row.get(c))).max().orElse(0))
                .toList();
        StringBuilder out = new StringBuilder();
        for (List<String> row : rows) {
            List<String> cells = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                String text = row.get(columns.get(i));
                String blanks = " ".repeat(widths.get(i) - width(text));
                cells.add(right.get(columns.get(i)) ? blanks + text : text + blanks);
            }
            out.append(String.join(BETWEEN, cells).stripTrailing()).append('\n');
            if (row == rows.getFirst()) {
                out.append(String.join(BETWEEN, lines(widths))).append('\n');
            }
        }
        return out.toString();
    }

    private static List<String> lines(List<Integer> widths) {
        return widths.stream()
                .map(width -> String.join("", Collections.nCopies(width, "-")))
                .toList();
    }

    /** How many places of a terminal a text takes. */
    static int width(String text) {
        return text.codePoints()
                .map(c -> switch (Character.getType(c)) {
                    case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
                    default -> isWide(c) ? 2 : 1;
                })
                .sum();
    }

    /** The blocks of Unicode whose characters are wide or full-width (UAX #11). */
    private static boolean isWide(int c) {
        return c >= 0x1100 && c <= 0x115f
                || c >= 0x2e80 && c <= 0xa4cf && c != 0x303f
                || c >= 0xac00 && c <= 0xd7a3
                || c >= 0xf900 && c <= 0xfaff
                || c >= 0xfe30 && c <= 0xfe6f
                || c >= 0xff00 && c <= 0xff60
                || c >= 0xffe0 && c <= 0xffe6
                || c >= 0x1f300 && c <= 0x1f64f
                || c >= 0x1f900 && c <= 0x1f9ff
                || c >= 0x20000 && c <= 0x3fffd;
    }
}
