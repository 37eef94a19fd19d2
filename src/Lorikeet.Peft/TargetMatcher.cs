using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>
/// Which modules an adapter acts on, by PEFT's rules: <c>modules_to_save</c> never match, <c>exclude_modules</c> win, a list matches whole names
/// or their ends, a text is a regular expression for the whole name or the word <c>all-linear</c>.
/// </summary>
public sealed class TargetMatcher
{
    private readonly AdapterBuilder _builder;
    private readonly HashSet<string> _saved;
    private readonly Func<string, bool> _excluded;
    private readonly HashSet<int>? _layers;
    private readonly List<NamePattern> _layerPatterns = [];
    private readonly HashSet<string> _matchedEntries = new(StringComparer.Ordinal);
    private readonly List<string>? _list;
    private readonly NamePattern? _pattern;
    private readonly bool _allLinear;

    /// <summary>Reads the fields that decide.</summary>
    /// <param name="builder">Its configuration is read; problems go there.</param>
    /// <param name="defaults">The target list of the model's architecture when the configuration names none, or null.</param>
    public TargetMatcher(AdapterBuilder builder, IReadOnlyList<string>? defaults)
    {
        _builder = builder;
        _saved = [.. Texts("modules_to_save") ?? []];
        _excluded = Reader("exclude_modules");
        JsonNode? targets = builder.Config.Root["target_modules"];
        if (targets is null)
        {
            if (defaults is null)
                builder.Config.Report("target_modules", $"must be named for models of type {builder.Model.Facts.ModelType}: a list of module names, a regular expression, or \"all-linear\"");
            _list = defaults is null ? null : [.. defaults];
            if (defaults is not null)
                builder.Config.Root["target_modules"] = new JsonArray([.. defaults.Select(name => (JsonNode)name)]);
        }
        else if (targets.GetValueKind() == JsonValueKind.String)
        {
            string text = targets.GetValue<string>();
            if (string.Equals(text, "all-linear", StringComparison.OrdinalIgnoreCase))
                _allLinear = true;
            else
                _pattern = new NamePattern(builder.Config, "target_modules", text);
        }
        else
        {
            _list = Texts("target_modules")?.ToList();
        }
        JsonNode? layers = builder.Config.Root["layers_to_transform"];
        if (layers is not null)
        {
            if (_list is null)
                builder.Config.Report("layers_to_transform", "works only with a list of target_modules");
            _layers = [.. (builder.Config.NumbersOrNull("layers_to_transform") ?? []).Select(number => (int)number)];
            foreach (string pattern in builder.Config.TextsOrNull("layers_pattern") ?? [])
                _layerPatterns.Add(new NamePattern(builder.Config, "layers_pattern", pattern, LayerOf(pattern)));
            if (_layerPatterns.Count == 0)
                _layerPatterns.Add(new NamePattern(builder.Config, "layers_pattern", LayerOf("[^.]*")));
        }
    }

    /// <summary>Reports fields of a configuration that say nothing about the modules of any model.</summary>
    public static void Check(JsonConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.TextsOrNull("modules_to_save");
        foreach (string field in (string[])["target_modules", "exclude_modules"])
        {
            if (config.TextsOrNull(field) is [string text] && config.Root[field]!.GetValueKind() == JsonValueKind.String && !string.Equals(text, "all-linear", StringComparison.OrdinalIgnoreCase))
                _ = new NamePattern(config, field, text);
        }
        config.NumbersOrNull("layers_to_transform");
        config.TextsOrNull("layers_pattern");
    }

    /// <summary>Modules named in <c>modules_to_save</c>.</summary>
    public IReadOnlyCollection<string> Saved => _saved;

    /// <summary>True where a module is trained whole.</summary>
    public bool IsSaved(Module module) => _saved.Any(name => Ends(module.Path, name));

    /// <summary>The targets among modules that the method can act on, in the order of the model.</summary>
    /// <param name="possible">Modules that the method can act on.</param>
    public List<Module> Targets(IEnumerable<Module> possible)
    {
        List<Module> all = [.. possible], found = [.. all.Where(IsTarget)];
        foreach (string entry in _list ?? [])
        {
            if (!_matchedEntries.Contains(entry))
                _builder.Notes.Add($"target_modules: \"{entry}\" matches no module");
        }
        if (found.Count == 0 && !_builder.Broken)
            ReportNothing(all);
        return found;
    }

    /// <summary>
    /// Writes <c>all-linear</c> as the names that it stands for, as the reference does: whole names (excluded ones too, the exclusion is written
    /// beside them), or their ends where there are many.
    /// </summary>
    public void WriteBack()
    {
        if (!_allLinear)
            return;
        List<string> names = [.. _builder.Model.Modules.OfType<Linear>().Where(layer => !IsHead(layer)).Select(layer => layer.Path)];
        if (names.Count >= 20)
            names = [.. names.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct()];
        _builder.Config.Root["target_modules"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
    }

    /// <summary>True where <paramref name="path"/> is <paramref name="entry"/> or ends with it after a dot.</summary>
    public static bool Ends(string path, string entry) => path == entry || path.EndsWith("." + entry, StringComparison.Ordinal);

    private bool IsTarget(Module module) => !IsSaved(module) && !_excluded(module.Path) && IsNamed(module, InLayers);

    private bool IsNamed(Module module, Func<string, string, bool> inLayers)
    {
        string path = module.Path;
        if (_allLinear)
            return module is Linear && !IsHead(module);
        if (_pattern is not null)
            return _pattern.IsMatch(path);
        bool found = false;
        foreach (string entry in _list ?? [])
        {
            if (!Ends(path, entry) || !inLayers(path, entry))
                continue;
            _matchedEntries.Add(entry);
            found = true;
        }
        return found;
    }

    // under the field that is to blame: the one without which something would match
    private void ReportNothing(List<Module> possible)
    {
        Module[] named = [.. possible.Where(module => IsNamed(module, (_, _) => true))];
        int layers = _builder.Model.Facts.Layers;
        if (named.Length == 0)
            _builder.Config.Report("target_modules", $"nothing of the model matches; its modules end in {string.Join(", ", Names())}");
        else if (named.All(IsSaved))
            _builder.Config.Report("modules_to_save", "trains every one of the target_modules whole, so the adapter has nothing to act on");
        else if (named.All(module => IsSaved(module) || _excluded(module.Path)))
            _builder.Config.Report("exclude_modules", "leaves none of the target_modules");
        else if (_layers!.Any(layer => layer >= 0 && layer < layers))
            _builder.Config.Report("layers_pattern", "no target_modules lie below a module of this name, so none is in the layers_to_transform");
        else
            _builder.Config.Report("layers_to_transform", $"found {string.Join(", ", _layers!)}, expected numbers from 0 to {layers - 1}, the layers of this model");
    }

    // the reference leaves the head of text classifiers out of "all-linear"; that of token classifiers it names, and then skips it as one trained whole
    private bool IsHead(Module module) =>
        module == _builder.Model.OutputEmbedding || (_builder.Config.TextOrNull("task_type") == "SEQ_CLS" && module.Path is "score" or "classifier");

    private bool InLayers(string path, string entry)
    {
        if (_layers is null || path == entry)
            return true;
        foreach (NamePattern pattern in _layerPatterns)
        {
            if (pattern.Group(path, "layer") is { } layer)
                return _layers.Contains(int.Parse(layer, CultureInfo.InvariantCulture));
        }
        return false;
    }

    private IEnumerable<string> Names() =>
        _builder.Model.Modules.OfType<Linear>().Select(module => module.Path[(module.Path.LastIndexOf('.') + 1)..]).Distinct();

    private IReadOnlyList<string>? Texts(string field) => _builder.Config.TextsOrNull(field);

    /// <summary>Reads a field that says which modules: a list of names or ends, or a regular expression.</summary>
    public Func<string, bool> Reader(string field)
    {
        if (_builder.Config.Root[field] is JsonValue text && text.GetValueKind() == JsonValueKind.String)
        {
            return new NamePattern(_builder.Config, field, text.GetValue<string>()).IsMatch;
        }
        IReadOnlyList<string> entries = Texts(field) ?? [];
        return path => entries.Any(entry => Ends(path, entry));
    }

    // a group of the pattern's own must not be taken for the number
    private static string LayerOf(string pattern) => $@".*?\.(?:{pattern})\.(?<layer>\d+)\..*";
}
