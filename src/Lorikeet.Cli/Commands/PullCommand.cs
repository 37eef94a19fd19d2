using System.CommandLine;
using System.Globalization;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet pull</c>: repositories of the hub into its cache on this machine.</summary>
internal static class PullCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> repository = new("REPOSITORY") { Description = "ORG/NAME or datasets/ORG/NAME, with @REVISION where wanted" };
        Option<string?> revision = new("--revision") { Description = "A branch, a tag or a commit; a commit never changes" };
        Option<string[]> include = new("--include") { Description = "Only files that match this pattern, such as *.json; may be repeated" };
        Option<string[]> exclude = new("--exclude") { Description = "No file that matches this pattern; may be repeated" };
        Option<bool> all = new("--all") { Description = "Also weights in other programs' formats, which hold the same once more" };
        Option<string?> endpoint = new("--endpoint") { Description = "The server (else HF_ENDPOINT, else https://huggingface.co)" };
        Option<string?> cache = new("--cache") { Description = "The cache folder (else HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub)" };
        Option<bool> json = CommonOptions.Json("Print one object: repository, commit, folder, files, downloaded");
        ExampleCommand command = new("pull", "Download a model, an adapter or a dataset into the hub's cache. What is there already is kept, broken downloads go on where they stopped, " +
            "checksums are compared. HF_TOKEN opens private repositories.",
            "lorikeet pull HuggingFaceTB/SmolLM2-135M-Instruct\nlorikeet pull org/adapter@v1.0 --include \"*.safetensors\" --include \"*.json\"")
        {
            repository, revision, include, exclude, all, endpoint, cache, json,
        };
        command.SetAction(async (parse, _) =>
        {
            string name = parse.GetRequiredValue(repository);
            HubRequest request = new(Repository(name, parse.GetValue(revision)))
            {
                Allow = parse.GetValue(include) ?? [],
                Ignore = parse.GetValue(exclude) ?? [],
                WeightsOnce = !parse.GetValue(all),
            };
            HubOptions options = HubOptions.FromEnvironment(variable => variable switch
            {
                "HF_ENDPOINT" => parse.GetValue(endpoint) ?? Environment.GetEnvironmentVariable(variable),
                "HF_HUB_CACHE" => parse.GetValue(cache) ?? Environment.GetEnvironmentVariable(variable),
                _ => Environment.GetEnvironmentVariable(variable),
            });
            using HubClient client = new(options);
            PullProgress progress = new(terminal);
            HubSnapshot snapshot = await client.PullAsync(request, progress, terminal.Interrupted);
            progress.End();
            Print(request.Repository, snapshot, parse.GetValue(json), terminal);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(HubRepository repository, HubSnapshot snapshot, bool json, Terminal terminal)
    {
        if (!json)
        {
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{repository}: {snapshot.Files.Count} files of commit {snapshot.Commit[..12]}, {snapshot.Downloaded / 1e6:0.0} MB downloaded"));
            terminal.Out.WriteLine(snapshot.Folder);
            return;
        }
        new JsonLineWriter(terminal.Out).Write(line =>
        {
            line.WriteString("repository", repository.UrlPath);
            line.WriteString("revision", repository.Revision);
            line.WriteString("commit", snapshot.Commit);
            line.WriteString("folder", snapshot.Folder);
            line.WriteStartArray("files");
            foreach (string file in snapshot.Files)
                line.WriteStringValue(file);
            line.WriteEndArray();
            line.WriteNumber("downloaded", snapshot.Downloaded);
        });
    }

    private static HubRepository Repository(string name, string? revision)
    {
        if (revision is null)
            return HubRepository.Parse(name);
        return name.Contains('@', StringComparison.Ordinal)
            ? throw new InputException($"{name} names a revision, and --revision another one; one of them was expected")
            : HubRepository.Create(name, revision);
    }
}
