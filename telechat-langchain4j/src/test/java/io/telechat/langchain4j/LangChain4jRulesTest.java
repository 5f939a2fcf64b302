// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.telechat.core.testing.AdapterRules;
import java.util.Set;

@AnalyzeClasses(packages = "io.telechat.langchain4j", importOptions = ImportOption.DoNotIncludeTests.class)
class LangChain4jRulesTest {
    @ArchTest
    static final ArchRule standsOnTheLibrarysPublicPackages =
            AdapterRules.standsOnTheLibrarysPublicPackages("dev.langchain4j..", "io.telechat.langchain4j");

    /** All else may change with every version. */
    @ArchTest
    static final ArchRule nothingElseIsPublic = AdapterRules.nothingElseIsPublic(Set.of(
            "TelechatChatModel",
            "TelechatStreamingChatModel",
            "TelechatEmbeddingModel",
            "TelechatTokenCountEstimator"));
}
