// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.html.Page;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The page is read back as XML. */
class ReportPageTest {
    private static final String HOSTILE = "</script><img src=x onerror=\"alert(1)\">&amp;\u2028\ud800\u0001'";

    @TempDir
    private Path directory;

    static Element parsed(Page page) throws Exception {
        byte[] html = page.html().getBytes(StandardCharsets.UTF_8);
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(html))
                .getDocumentElement();
    }

    static List<String> texts(Element in, String tag) {
        NodeList nodes = in.getElementsByTagName(tag);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent());
        }
        return texts;
    }

    static JsonNode data(Element page) throws Exception {
        return new ObjectMapper().readTree(texts(page, "script").getFirst());
    }

    private static List<ObjectNode> subjects() {
        String shots = "About a subject, with a long introduction.\n\n" + "Q\nA. 1\nB. 2\nAnswer: B\n\n".repeat(5);
        List<ObjectNode> samples = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            samples.add(Runs.choice("mmlu", "anatomy", i, shots + "Question " + i, 1, i == 3 ? 0 : 1));
        }
        samples.add(Runs.choice("mmlu", "virology", 0, shots + "Question", 1, 1));
        return samples;
    }

    @Test
    void theTableHoldsTheScores() throws Exception {
        Element page = parsed(ReportPage.of(Runs.write(directory.resolve("run"), "<m>", "mmlu", subjects())));
        assertEquals(List.of("Evaluation: run"), texts(page, "h1"));
        assertEquals(List.of("<m>", "lm-eval", "5"), texts(page, "dd"));
        List<String> cells = texts(page, "td");
        assertEquals(List.of("acc", "none", "6", "0.8333", "not known", "", "0.9000"), cells.subList(0, 7));
        assertEquals(List.of("acc", "none", "5", "0.8000", "± 0.2000", "", ""), cells.subList(7, 14));
        assertEquals(List.of("acc", "none", "1", "1.0000", "not known", "", ""), cells.subList(14, 21));
    }

    /** 0.8 ± 1.96 * 0.2 goes from 0.408 to beyond 1; 4 + 152 * 0.8 = 125.6, 4 + 152 * 0.408 = 66.0. */
    @Test
    void barsAreDrawnToScale() throws Exception {
        Element page = parsed(ReportPage.of(Runs.write(directory, "m", "mmlu", subjects())));
        Element bar = (Element) page.getElementsByTagName("svg").item(1);
        assertEquals("0.8000, from 0.4080 to 1.1920", bar.getAttribute("aria-label"));
        assertEquals(
                "M66.0 8H156.0", ((Element) bar.getElementsByTagName("path").item(2)).getAttribute("d"));
        assertEquals("125.6", ((Element) bar.getElementsByTagName("circle").item(0)).getAttribute("cx"));
    }

    @Test
    void samplesComeWrongOnesFirstWithWhatTheyShareOnce() throws Exception {
        JsonNode data = data(parsed(ReportPage.of(Runs.write(directory, "m", "mmlu", subjects()))));
        JsonNode task = data.at("/tasks/0");
        JsonNode first = task.at("/samples/0");
        assertEquals(3, first.get("id").intValue());
        assertEquals("WRONG", first.get("kind").textValue());
        assertEquals("Question 3", first.get("prompt").textValue());
        assertTrue(task.at("/prefixes/anatomy").textValue().endsWith("Answer: B\n\n"), task.toString());
        assertFalse(task.get("prefixes").has("virology"), "nothing to share");
        assertEquals("[\" A\",\" B\",\" C\"]", first.get("options").toString());
        assertEquals("[1]", first.get("right").toString());
        assertEquals(-1.25, first.at("/answers/0/loglikelihoods/0").doubleValue());
        assertEquals(6, task.get("samples").size());
    }

    @Test
    void textIsTextWhateverItHolds() throws Exception {
        ObjectNode sample = Runs.free("gsm8k", null, 0, HOSTILE, HOSTILE, HOSTILE);
        Path run = Runs.write(directory.resolve("<b>"), HOSTILE, "gsm8k", List.of(sample));
        Element page = parsed(ReportPage.of(run));
        assertEquals(2, page.getElementsByTagName("script").getLength());
        assertEquals(0, page.getElementsByTagName("img").getLength());
        JsonNode shown = data(page).at("/tasks/0/samples/0");
        assertEquals(HOSTILE, shown.get("prompt").textValue());
        assertEquals(HOSTILE, shown.get("gold").textValue());
        assertEquals(HOSTILE, shown.at("/answers/0/response").textValue());
        assertEquals("RIGHT", shown.get("kind").textValue());
    }

    @Test
    void turnsOfAConversationAreShownOneBelowTheOther() throws Exception {
        ObjectNode sample = Runs.free("math", "algebra", 0, "", "1", "2");
        sample.remove("context");
        sample.putArray("messages").addObject().put("role", "HUMAN").put("prompt", "1+0?");
        JsonNode data = data(parsed(ReportPage.of(Runs.write(directory, "m", "math", List.of(sample)))));
        assertEquals("[HUMAN]\n1+0?", data.at("/tasks/0/samples/0/prompt").textValue());
    }

    @Test
    void aPageOfManySamplesHasSomeOfEachSubtask() throws Exception {
        List<ObjectNode> samples = new ArrayList<>();
        for (int subject = 0; subject < 50; subject++) {
            for (int i = 0; i < 280; i++) {
                samples.add(Runs.choice("mmlu", "subject" + subject, i, "Question " + i, 1, i % 2));
            }
        }
        Page page = ReportPage.of(Runs.write(directory, "m", "mmlu", samples));
        Element html = parsed(page);
        JsonNode shown = data(html).at("/tasks/0/samples");
        assertEquals(50 * 2 * 30, shown.size());
        assertEquals(58, shown.get(29).get("id").intValue());
        assertEquals("RIGHT", shown.get(30).get("kind").textValue());
        assertTrue(
                texts(html, "p")
                        .contains("mmlu: 3,000 of 14,000 samples, the first 30 of each kind in each subtask; all of"
                                + " them are in samples_mmlu.jsonl."),
                texts(html, "p").toString());
        assertTrue(page.html().length() < 1_500_000, "is small");
    }

    @Test
    void longTextsAreCut() throws Exception {
        ObjectNode sample = Runs.free("t", null, 0, "x".repeat(100_000) + "end", "g", "begin" + "y".repeat(100_000));
        JsonNode shown = data(parsed(ReportPage.of(Runs.write(directory, "m", "t", List.of(sample)))))
                .at("/tasks/0/samples/0");
        assertEquals(20_001, shown.get("prompt").textValue().length());
        assertTrue(shown.get("prompt").textValue().endsWith("end"));
        assertTrue(shown.at("/answers/0/response").textValue().startsWith("begin"));
        assertEquals(20_001, shown.at("/answers/0/response").textValue().length());
    }

    @Test
    void aRunWithoutSamplesHasItsScores() throws Exception {
        Files.delete(Runs.write(directory, "m", "mmlu", subjects()).resolve("samples_mmlu.jsonl"));
        Element page = parsed(ReportPage.of(directory));
        assertTrue(texts(page, "p").toString().contains("made without --log-samples"));
        assertEquals(3, page.getElementsByTagName("svg").getLength());
    }

    @Test
    void nothingIsLoadedFromElsewhere() throws Exception {
        String html =
                ReportPage.of(Runs.write(directory, "m", "mmlu", subjects())).html();
        assertFalse(html.contains("://"), "an address");
        assertFalse(html.contains("src=") || html.contains("url(") || html.contains("@import"), "a reference");
        assertFalse(html.contains("innerHTML"), "text that is read as elements");
    }

    @Test
    void aLineThatIsNoSampleIsRefused() throws Exception {
        Path run = Runs.write(directory, "m", "mmlu", subjects());
        Path file = run.resolve("samples_mmlu.jsonl");
        Files.writeString(file, Files.readString(file) + "{\"doc_id\":7}\n");
        InvalidInputException failure = assertThrows(InvalidInputException.class, () -> ReportPage.of(run));
        assertEquals(file + " line 7: is not a sample of telechat eval", failure.getMessage());
    }
}
