using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public class HubRepositoryTests
{
    [Theory]
    [InlineData("org/name", HubRepositoryKind.Model, "org/name", "main", "models--org--name")]
    [InlineData("gpt2", HubRepositoryKind.Model, "gpt2", "main", "models--gpt2")]
    [InlineData("Org_1/na.me-2@v1.0", HubRepositoryKind.Model, "Org_1/na.me-2", "v1.0", "models--Org_1--na.me-2")]
    [InlineData("datasets/org/name@refs/pr/3", HubRepositoryKind.Dataset, "org/name", "refs/pr/3", "datasets--org--name")]
    [InlineData("datasets/glue", HubRepositoryKind.Dataset, "glue", "main", "datasets--glue")]
    public void A_name_may_carry_its_kind_and_revision(string text, HubRepositoryKind kind, string id, string revision, string folder)
    {
        HubRepository repository = HubRepository.Parse(text);
        (repository.Kind, repository.Id, repository.Revision, repository.CacheFolderName).ShouldBe((kind, id, revision, folder));
        HubRepository.Parse(repository.ToString()).ShouldBe(repository);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b/c")]
    [InlineData("../b")]
    [InlineData("a/..")]
    [InlineData("a--b/c")]
    [InlineData("a/b c")]
    [InlineData("/a/b")]
    [InlineData("a/b@")]
    [InlineData("a/b@../../x")]
    [InlineData("a/b@/x")]
    [InlineData("a/b@x//y")]
    [InlineData("a/b@.x")]
    [InlineData("a/b@x/.y")]
    [InlineData("a/b@x\n")]
    [InlineData("a/b\n")]
    [InlineData("https://huggingface.co/a/b")]
    public void Anything_else_is_refused(string text) => Should.Throw<InputException>(() => HubRepository.Parse(text));

    [Fact]
    public void A_wrong_name_and_a_wrong_revision_are_told_together() =>
        Should.Throw<InputException>(() => HubRepository.Create("a b", "..")).Problems.Count.ShouldBe(2);
}
