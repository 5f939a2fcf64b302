// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** Pages are read back as XML. */
class PageTest {
    private static final String HOSTILE = "</script><b x='1'>&amp;\u0001\u0085\uffff\ud800 \ud83d\ude00\u2028\"\\";

    private static Document parsed(Page page) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(page.html().getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void textIsTextWhateverItHolds() throws Exception {
        Page page = new Page(HOSTILE, "", "<p title=\"%1$s\">%1$s</p>".formatted(Html.escape(HOSTILE)), "");
        Document document = parsed(page);
        String shown = HOSTILE.replaceAll("[\u0001\u0085\uffff]", "\ufffd").replace("\ud800 ", "\ufffd ");
        assertEquals(shown, document.getElementsByTagName("p").item(0).getTextContent());
        assertEquals(shown, document.getElementsByTagName("h1").item(0).getTextContent());
        assertEquals(0, document.getElementsByTagName("b").getLength());
    }

    @Test
    void jsonInAScriptKeepsItsValues() throws Exception {
        JsonNode value = new ObjectMapper().createObjectNode().put("text", HOSTILE);
        String json = Html.escapeJson(value.toString());
        assertFalse(json.contains("<") || json.contains("&"), json);
        Document document = parsed(new Page("", "", "<script type=\"application/json\">" + json + "</script>", ""));
        String read = document.getElementsByTagName("script").item(0).getTextContent();
        assertEquals(value, new ObjectMapper().readTree(read));
    }

    @Test
    void whereItCannotBeWrittenIsSaid() {
        Page page = new Page("", "", "", "");
        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> page.write(Path.of("/nowhere/page.html")));
        assertEquals("/nowhere/page.html: cannot be written: there is no such file or directory", failure.getMessage());
    }
}
