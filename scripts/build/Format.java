// SPDX-License-Identifier: Apache-2.0
import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Checks or applies the layout of all sources: {@code Format check|apply ROOT}. Run by Maven; see CONTRIBUTING. */
public final class Format {
    private static final Formatter FORMATTER = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .formatJavadoc(false)
            .build());

    private Format() {}

    public static void main(String[] args) throws IOException {
        boolean apply = args[0].equals("apply");
        Path root = Path.of(args[1]).toRealPath();
        List<Path> files;
        try (Stream<Path> all = Files.walk(root)) {
            files = all.filter(file -> isSource(root.relativize(file).toString()))
                    .sorted()
                    .toList();
        }
        List<String> complaints = files.parallelStream()
                .flatMap(file -> format(root, file, apply).stream())
                .toList();
        complaints.forEach(System.err::println);
        if (!complaints.isEmpty()) {
            System.err.println("Run: mvn -q -N -Pformat process-sources");
            System.exit(1);
        }
    }

    private static boolean isSource(String file) {
        return file.endsWith(".java")
                && (file.contains("/src/") || file.startsWith("scripts/"))
                && !file.contains("/target/");
    }

    private static Optional<String> format(Path root, Path file, boolean apply) {
        try {
            String before = Files.readString(file);
            String after = FORMATTER.formatSourceAndFixImports(before);
            if (after.equals(before)) {
                return Optional.empty();
            }
            if (apply) {
                Files.writeString(file, after);
                return Optional.empty();
            }
            return Optional.of("not formatted: " + root.relativize(file));
        } catch (IOException | FormatterException e) {
            return Optional.of("cannot format %s: %s".formatted(root.relativize(file), e.getMessage()));
        }
    }
}
