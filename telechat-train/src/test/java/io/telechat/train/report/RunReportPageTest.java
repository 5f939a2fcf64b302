// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The page is read back as XML. */
class RunReportPageTest {
    @TempDir
    private Path directory;

    private static String step(int step, double loss) {
        return String.format(
                Locale.ROOT,
                "{\"step\":%d,\"loss\":%s,\"lr\":1.0E-5,\"grad_norm\":0.5,\"tokens_per_s\":%d,\"rss_mib\":%d}%n",
                step,
                loss,
                1000 + step,
                1024 * step);
    }

    private Path run(String name, String metrics) throws IOException {
        Path run = Files.createDirectories(directory.resolve(name));
        Files.writeString(run.resolve("metrics.jsonl"), metrics);
        return run;
    }

    private static Element page(Path... runs) throws Exception {
        byte[] html = RunReportPage.of(List.of(runs), false).html().getBytes(StandardCharsets.UTF_8);
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(html))
                .getDocumentElement();
    }

    private static List<Element> elements(Element in, String tag) {
        NodeList nodes = in.getElementsByTagName(tag);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static List<String> texts(Element in, String tag) {
        return elements(in, tag).stream().map(Element::getTextContent).toList();
    }

    /** Lines of a chart that carry values. */
    private static List<Element> lines(Element figure) {
        return elements(figure, "path").stream()
                .filter(p -> p.hasAttribute("data-name"))
                .toList();
    }

    @Test
    void theTableHoldsTheFigures() throws Exception {
        Element page = page(run(
                "one",
                step(1, 3.5) + step(2, 1.25) + "{\"step\":2,\"eval_loss\":2.125}\n" + step(3, 1.5) + step(4, 1.75)));
        assertEquals(List.of("Training: one"), texts(page, "h1"));
        assertEquals(
                List.of(
                        "4",
                        "3.5000",
                        "1.7500",
                        "1.2500 at 2",
                        "2.1250 at 2",
                        "2.1250",
                        "1,003",
                        "–",
                        "4.0 GiB",
                        "–",
                        "–",
                        "–",
                        "–"),
                texts(page, "td"));
    }

    @Test
    void theTableSaysWhatWasTrainedAndWhen() throws Exception {
        String first = step(1, 3).replace("}", ",\"time\":\"2026-11-29T10:00:00Z\"}");
        String second = step(2, 2).replace("}", ",\"time\":\"2026-11-29T11:02:30Z\"}");
        Path run = run("one", first + second + "{\"step\":1,\"eval_loss\":2}\n{\"step\":2,\"eval_loss\":3}\n");
        Files.writeString(
                run.resolve("config.yaml"), "---\nlora-dim: 8\nmodel-path: \"/models/TeleChat-7B\"\nweights: \"q4\"\n");
        List<String> facts = texts(page(run), "td");
        assertEquals(List.of("2.0000 at 1", "3.0000"), facts.subList(4, 6));
        assertEquals(
                List.of("TeleChat-7B", "LoRA, rank 8 on q4", "2026-11-29 10:00", "1 h 2 min"), facts.subList(9, 13));
    }

    /** Halfway between 1 and 4 is 2. */
    @Test
    void theLossMayHaveALogarithmicAxis() throws Exception {
        Path run = run("one", step(1, 4) + step(2, 2) + step(3, 1));
        String html = RunReportPage.of(List.of(run), true).html();
        byte[] bytes = html.getBytes(StandardCharsets.UTF_8);
        Element page = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(bytes))
                .getDocumentElement();
        String[] points = lines(elements(page, "figure").getFirst())
                .getFirst()
                .getAttribute("d")
                .split("[ ML]+");
        assertEquals(
                (Integer.parseInt(points[2]) + Integer.parseInt(points[6])) / 2.0, Integer.parseInt(points[4]), 500);
    }

    @Test
    void theLinesGoThroughTheValues() throws Exception {
        Element page =
                page(run("one", step(1, 1) + step(2, 2) + step(3, 1.5) + "{\"step\":3,\"eval_loss\":\"NaN\"}\n"));
        List<Element> figures = elements(page, "figure");
        assertEquals(List.of("Loss", "Learning rate", "Gradient norm", "Speed", "Memory"), texts(page, "h2"));
        assertEquals(
                "M0 100000L50000 0L100000 50000",
                lines(figures.getFirst()).getFirst().getAttribute("d"));
        assertEquals("", lines(figures.getFirst()).getLast().getAttribute("d"));
        assertEquals("NaN", texts(page, "td").get(5));
    }

    @Test
    void severalRunsLieOverEachOther() throws Exception {
        Path long_ = run("long", step(1, 3) + step(2, 2) + step(3, 1));
        Path short_ = run("short", step(1, 3) + step(2, 1) + "{\"step\":2,\"eval_loss\":1}\n");
        Element page = page(long_, short_, long_);
        assertEquals(3, elements(page, "tr").size());
        List<Element> losses = lines(elements(page, "figure").getFirst());
        assertEquals(
                List.of("long", "short", "short, evaluation"),
                losses.stream().map(l -> l.getAttribute("data-name")).toList());
        assertTrue(losses.get(1).getAttribute("d").endsWith("L50000 100000"), "ends at half the width");
    }

    @Test
    void namesAndOptionsAreTextWhateverTheyHold() throws Exception {
        String name = "<img src=x onerror=\"alert(1)\"> & 'it'";
        Path run = run(name, step(1, 2) + step(2, 1));
        Files.writeString(run.resolve("config.yaml"), "note: </pre><script>alert(2)</script>\n");
        Element page = page(run);
        assertEquals("Training: " + name, texts(page, "h1").getFirst());
        assertEquals(name, lines(elements(page, "figure").getFirst()).getFirst().getAttribute("data-name"));
        assertEquals(
                "note: </pre><script>alert(2)</script>\n", texts(page, "pre").getFirst());
        assertEquals(1, elements(page, "script").size());
        assertTrue(elements(page, "img").isEmpty(), "no element from a name");
    }

    @Test
    void runsOfTheSameNameAreToldApartByTheirPaths() throws Exception {
        Path a = run("a/run", step(1, 2));
        Path b = run("b/run", step(1, 2));
        assertTrue(texts(page(a, b), "th").contains(b.toString()));
    }

    @Test
    void nothingIsLoadedFromElsewhere() throws Exception {
        String html = RunReportPage.of(List.of(run("one", step(1, 2))), false).html();
        assertFalse(html.replace("http://www.w3.org/2000/svg", "").contains("://"), "an address");
        assertFalse(html.contains("src=") || html.contains("url(") || html.contains("@import"), "a reference");
    }

    @Test
    void aLineThatIsBeingWrittenIsLeftOut() throws Exception {
        assertEquals(
                "1",
                texts(page(run("one", step(1, 2) + "{\"step\":2,\"lo")), "td").getFirst());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "nonsense | metrics.jsonl:2: not valid JSON",
                "[1] | metrics.jsonl:2: is not a JSON object",
                "{\"loss\":1} | metrics.jsonl:2: has no whole number 'step'",
                "{\"step\":2} | metrics.jsonl:2: has no number 'loss'",
                "{\"step\":2,\"eval_loss\":\"low\"} | metrics.jsonl:2: has no number 'eval_loss'",
                "{\"step\":1,\"loss\":1} | metrics.jsonl:2: step 1 comes behind step 1"
            })
    void aDamagedLineIsToldByItsNumber(String line, String message) throws IOException {
        Path run = run("bad", step(1, 2) + line + "\n" + step(3, 1));
        InvalidModelException failure =
                assertThrows(InvalidModelException.class, () -> RunReportPage.of(List.of(run), false));
        assertTrue(failure.getMessage().startsWith(run + "/" + message), failure.getMessage());
    }

    @Test
    void anEmptyFileIsTold() throws IOException {
        Path run = run("empty", "");
        InvalidModelException failure =
                assertThrows(InvalidModelException.class, () -> RunReportPage.of(List.of(run), false));
        assertTrue(failure.getMessage().contains("holds no step yet"), failure.getMessage());
    }

    @Test
    void replacesTheFileAndLeavesNothingElse() throws IOException {
        Path run = run("one", step(1, 2));
        Path file = Files.writeString(run.resolve("report.html"), "old");
        RunReportPage.of(List.of(run), false).write(file);
        assertTrue(Files.readString(file).startsWith("<!DOCTYPE html>"), "new");
        try (Stream<Path> files = Files.list(run)) {
            assertEquals(2, files.count());
        }
    }
}
