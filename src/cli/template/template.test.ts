import { describe, expect, test } from 'bun:test';
import { compileTemplate } from './template.ts';
import { Struct, toJson } from './values.ts';

const DATA = {
  Name: '/web',
  Id: '0123456789abcdef',
  State: { Status: 'exited', Pid: 0, Running: false, Paused: false },
  Config: { Env: ['A=1', 'B=2'], Cmd: ['sh', '-c', 'echo "x"'], Labels: { a: 'b' }, User: '' },
  Networks: { two: { IP: '2' }, one: { IP: '1' } },
  Big: 1795309693947367826n,
};

const inspect = (source: string): string =>
  compileTemplate(source).run(DATA, { missingKey: 'error', optionalKeys: new Set(['Health']) });

describe('templates: output as the reference client gives it', () => {
  test.each([
    ['{{.State.Status}} {{.State.Pid}} {{.State.Running}}', 'exited 0 false'],
    ['{{json .Config.Env}}', '["A=1","B=2"]'],
    ['{{range .Config.Env}}{{println .}}{{end}}', 'A=1\nB=2\n'],
    ['{{range $i, $e := .Config.Cmd}}{{$i}}={{$e}};{{end}}', '0=sh;1=-c;2=echo "x";'],
    ['{{if .State.Running}}up{{else if .State.Paused}}paused{{else}}down{{end}}', 'down'],
    ['{{with .Config.User}}u{{.}}{{else}}nouser{{end}}', 'nouser'],
    ['{{index .Config.Cmd 0}} {{index .Config.Labels "a"}}{{index .Config.Labels "x"}}', 'sh b'],
    ['{{range $k, $v := .Networks}}{{$k}}={{$v.IP}} {{end}}', 'one=1 two=2 '],
    [
      '{{printf "%-6s|%5d|%05d|%q|%v|%t" .Name 5 42 "a\\"b" .Config.Cmd true}}',
      '/web  |    5|00042|"a\\"b"|[sh -c echo "x"]|true',
    ],
    ['{{printf "%.2f %x %X %c %%" 1.5 255 255 65}}', '1.50 ff FF A %'],
    ['{{.Config.Cmd}} {{.Config.Labels}}', '[sh -c echo "x"] map[a:b]'],
    ['{{len .Config.Env}} {{slice .Id 0 12}}', '2 0123456789ab'],
    ['{{eq .State.Status "x" "exited"}} {{ne 1 2}} {{lt 1 2}} {{ge 1 2}}', 'true true true false'],
    ['{{and true 0}} {{or 0 "x"}} {{not 1}}', '0 x false'],
    ['{{- "a" -}} b {{- " c" }}', 'ab c'],
    ['x {{/* c */}}y{{/* d */ -}} z', 'x yz'],
    [
      '{{join .Config.Cmd ","}} {{upper "abc"}} {{title "foo bar"}} {{split "a:b" ":"}}',
      'sh,-c,echo "x" ABC Foo Bar [a b]',
    ],
    ['{{truncate "abcdef" 3}}|{{pad "x" 1 2}}|{{lower "ABC"}}', 'abc| x  |abc'],
    [
      '{{html "<a>&\\"\'"}} {{js "it\'s <b>"}} {{urlquery "a b&c"}}',
      "&lt;a&gt;&amp;&#34;&#39; it\\'s \\u003Cb\\u003E a+b%26c",
    ],
    ['{{define "T"}}[{{.}}]{{end}}{{template "T" .Name}}', '[/web]'],
    ['{{block "B" .Name}}<{{.}}>{{end}}', '</web>'],
    ['{{$x := .Name}}{{$x}} {{$x = "q"}}{{$x}}', '/web q'],
    ['{{(.Name | printf "%s!")}}', '/web!'],
    ['{{range 3}}{{.}}{{end}}', '012'],
    ['{{range .Config.Env}}{{break}}{{end}}ok{{range .Config.Env}}{{continue}}x{{end}}', 'ok'],
    ['{{range .None.X}}{{else}}{{end}}', undefined],
    ['{{print 1 2 "a" "b" 3}} {{print "a" 1}} {{println 1 "a"}}', '1 2ab3 a1 1 a\n'],
    ["{{1.5}} {{0x1F}} {{'a'}} {{1e3}} {{`raw\\n`}}", '1.5 31 97 1000 raw\\n'],
    [
      '{{printf "%d" "x"}} {{printf "%s" 1}} {{printf "%d %d" 1}} {{printf "a" 1}}',
      '%!d(string=x) %!s(int=1) 1 %!d(MISSING) a%!(EXTRA int=1)',
    ],
    ['{{.ID}} {{.Big}} {{json .Big}}', '0123456789abcdef 1795309693947367826 1795309693947367826'],
    ['{{.State.Health}} {{if .State.Health}}x{{else}}no{{end}}', '<nil> no'],
    ['{{with $x := 5}}{{$x}}{{end}}', '5'],
  ])('%s', (source, expected) => {
    if (expected === undefined) expect(() => inspect(source)).toThrow('map has no entry for key "None"');
    else expect(inspect(source)).toBe(expected);
  });
});

describe('printf as Go has it', () => {
  test.each([
    ['{{printf "%.120f" 1.5}}', `1.5${'0'.repeat(119)}`],
    ['{{len (printf "%999999d" 5)}} {{printf "%99999999999d" 5}}', '999999 %!(NOVERB)%!(EXTRA int=5)'],
    ['{{printf "%*d|%-*d|%*d" 1000001 5 4 6 -4 7}}', '%!(BADWIDTH)5|6   |7   '],
    ['{{printf "%[2]d %[1]d %[3]d %[x]d" 5 6}}', '6 5 %!d(BADINDEX) %!d(BADINDEX)'],
    ['{{printf "%[1]*d|%[1]v" 5}}', '%!d(MISSING)|5'],
    ['{{printf "%#v %#x %#o %#b %O %#U" "x" 255 8 5 8 233}}', `"x" 0xff 010 0b101 0o10 U+00E9 'é'`],
    ['{{printf "% x %#x % X" "abc" "abc" "abc"}}', '61 62 63 0x616263 61 62 63'],
    ['{{printf "%#q %+q %q" "abc" "é" "\\x00\\u200b"}}', '`abc` "\\u00e9" "\\x00\\u200b"'],
    ['{{printf "%c%c" 99999999 -1}}', '\ufffd\ufffd'],
    [
      '{{printf "%E %G %.3g %v" 123456.789 0.0000000001 123456.789 1e21}}',
      '1.234568E+05 1E-10 1.23e+05 1e+21',
    ],
    ['{{printf "%05s|%05d|%-05d|%+d|%+v" "ab" -5 5 5 5}}', '000ab|-0005|5    |+5|5'],
    ['{{printf "%x %4s" .Config.Cmd .Config.Env}}', '[7368 2d63 6563686f20227822] [ A=1  B=2]'],
    ['{{printf "%d %x" .Big .Big}}', '1795309693947367826 18ea38a7998c5192'],
    ['{{printf "%T %!" nil}}', '<nil> %!!(MISSING)'],
  ])('%s', (source, expected) => expect(inspect(source)).toBe(expected));
});

describe('templates: numbers with a point or an exponent are float64', () => {
  test.each([
    [
      '{{1e6}} {{1.0}} {{1234567.5}} {{999999.5}} {{-0.0}} {{0x1e}} {{1_0.0}}',
      '1e+06 1 1.2345675e+06 999999.5 -0 30 10',
    ],
    [
      '{{9223372036854775808.0}} {{print 1.0 1e6 "a" 2.0}} {{json 1e6}}',
      '9.223372036854776e+18 1 1e+06a2 1000000',
    ],
    ['{{printf "%v %d %T" 1e6 2.0 2.0}}', '1e+06 %!d(float64=2) float64'],
    [
      '{{printf "%f %5.1f|%-8v|%08v|%e %G" 1e6 1e6 1e6 1e6 1.0 1e6}}',
      '1000000.000000 1000000.0|1e+06   |0001e+06|1.000000e+00 1E+06',
    ],
    ['{{printf "%q %*d" 1.0 2.0 1}}', '%!q(float64=1) %!(BADWIDTH)1'],
    [
      '{{eq 1.0 1e0}} {{eq 1.5 2.0}} {{ne 1.0 2.0}} {{lt 1.0 2.0}} {{ge 2.0 2.0}}',
      'true false true true true',
    ],
    ['{{if 0.0}}t{{else}}f{{end}} {{not 0.0}} {{and 0.0 1}} {{or 0.0 1.0}}', 'f true 0 1'],
    ['{{truncate "abc" 1.0}} {{pad "x" 1.0 2e0}}|', 'a  x  |'],
    ['{{html 1e6}} {{urlquery 1e6}}', '1e+06 1e%2B06'],
  ])('%s', (source, expected) => expect(inspect(source)).toBe(expected));

  test.each([
    ['{{eq 1 1.0}}', 'incompatible types for comparison'],
    ['{{lt 1 2.0}}', 'incompatible types for comparison'],
    ['{{lt 1 1.5}}', 'incompatible types for comparison'],
    ['{{index .Config.Cmd 1.0}}', 'cannot index slice/array with type float64'],
    ['{{range 2.0}}{{end}}', "range can't iterate over 2"],
    ['{{1e400}}', 'illegal number syntax: "1e400"'],
  ])('%s', (source, message) => expect(() => inspect(source)).toThrow(message));
});

describe('templates: strings are bytes, letters are letters', () => {
  test.each([
    ['{{index "é" 0}} {{slice "日本" 0 3}} {{truncate "日本" 3}} {{len "日"}}', '195 日 日 3'],
    ['{{"\\xc3\\xa9\\303\\251"}} {{json "\\xff"}}', 'éé "\ufffd"'],
    ['{{upper "straße ﬁ"}} {{lower "İΑΣ"}} {{title "it\'s a-b_c"}}', "STRAßE ﬁ iασ It'S A-B_c"],
    ['{{js "</p>\\n\\u2028"}} {{html nil}}', '\\u003C/p\\u003E\\u000A\\u2028 &lt;no value&gt;'],
    ['{{9223372036854775807}} {{0x7fffffffffffffff}}', '9223372036854775807 9223372036854775807'],
    ['{{lt .Big 5}} {{eq .Big 1795309693947367826}}', 'false true'],
  ])('%s', (source, expected) => expect(inspect(source)).toBe(expected));
});

describe('hostile templates end with a message', () => {
  test.each([
    ['{{range 99999999999999}}{{break}}{{end}}ok', undefined],
    ['{{range 99999999999999}}{{printf "%999999d" 1}}{{end}}', 'output too long'],
    ['{{pad "x" 99999999999999 1}}', 'strings: Repeat output length overflow'],
    ['{{.constructor}}', 'map has no entry for key "constructor"'],
    ['{{.__proto__}}', 'map has no entry for key "__proto__"'],
    ['{{constructor .}}', 'function "constructor" not defined'],
    ['{{index .Config.Cmd 1.5}}', 'cannot index slice/array with type float64'],
    ['{{truncate "abc" 1.5}}', 'expected integer; found 1.5'],
    ['{{join .Networks.one ","}}', 'expected []string'],
    ['{{slice "abc" 1 2 3}}', 'cannot 3-index slice a string'],
    ['{{$x = 1}}', 'undefined variable'],
    ['{{range $i, $j := 3}}{{end}}', "can't use 3 to iterate over more than one variable"],
    ['{{define "x"}}a{{end}}{{define "x"}}b{{end}}', 'multiple definition of template "x"'],
    ['{{if 1}}{{define "x"}}a{{end}}{{end}}', 'unexpected <define> in command'],
    [
      '{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}',
      'executing "x" at <{{template "x" .}}>: exceeded maximum template depth',
    ],
    ['{{..Name}}', 'unexpected . after term "."'],
  ])('%s', (source, message) => {
    if (message === undefined) expect(inspect(source)).toBe('ok');
    else expect(() => inspect(source)).toThrow(message);
  });

  test('a network that is not there is a mistake, not an empty line', () => {
    const source = '{{(index .Networks "none").IP}}';
    expect(() => compileTemplate(source).run(DATA)).toThrow('nil pointer evaluating interface {}.IP');
  });
});

describe("templates: mistakes in Go's words", () => {
  test.each([
    ['{{.Foo}}', 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
    ['{{.State.Foo}}', 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"'],
    [
      '{{.Name.Foo}}',
      'template: :1:7: executing "" at <.Name.Foo>: can\'t evaluate field Foo in type interface {}',
    ],
    ['a\n{{.Foo}}', 'template: :2:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
    ['{{foo .Name}}', 'template: :1: function "foo" not defined'],
    ['{{if}}x{{end}}', 'template: :1: missing value for if'],
    ['{{.Id', 'template: :1: unclosed action'],
    ['{{end}}', 'template: :1: unexpected {{end}}'],
    ['{{range .Name}}x{{end}}', 'template: :1:8: executing "" at <.Name>: range can\'t iterate over /web'],
    [
      '{{index .Config.Cmd 9}}',
      'template: :1:2: executing "" at <index .Config.Cmd 9>: error calling index: index out of range: 9',
    ],
    ['{{"abc}}', 'template: :1: unterminated quoted string'],
    ['{{.Name | 3}}', 'template: :1: non executable command in pipeline stage 2'],
    ['{{if .Id}}x', 'template: :1: unexpected EOF'],
    ['{{.Id#}}', "template: :1: bad character U+0023 '#'"],
    ['{{$y}}', 'template: :1: undefined variable "$y"'],
    ['{{nil}}', 'template: :1:2: executing "" at <nil>: nil is not a command'],
    [
      '{{lt 1 "a"}}',
      'template: :1:2: executing "" at <lt 1 "a">: error calling lt: incompatible types for comparison',
    ],
    [
      '{{join .Name ","}}',
      'template: :1:7: executing "" at <.Name>: wrong type for value; expected []string; got string',
    ],
    ['{{break}}', 'template: :1: {{break}} outside {{range}}'],
    ['{{len 3}}', 'template: :1:2: executing "" at <len 3>: error calling len: len of type int'],
    [
      '{{template "nope"}}',
      'template: :1:11: executing "" at <{{template "nope"}}>: template "nope" not defined',
    ],
  ])('%s', (source, message) => {
    expect(() => inspect(source)).toThrow(message);
  });

  test('a list row has fixed fields; a header shows nothing for others', () => {
    const row = new Struct('*formatter.X', { Name: () => 'n', Label: (key: string) => `label ${key}` });
    expect(compileTemplate('{{.Name}} {{.Label "a"}}').run(row)).toBe('n label a');
    expect(() => compileTemplate('{{.Foo}}').run(row)).toThrow(
      "can't evaluate field Foo in type *formatter.X",
    );
    expect(() => compileTemplate('{{.Label}}').run(row)).toThrow(
      'wrong number of args for Label: want 1 got 0',
    );
    expect(compileTemplate('{{upper .Name}}\t{{.Foo}}').runHeader({ Name: 'Name' })).toBe('Name\t<no value>');
  });

  test('json of a row is sorted and safe for HTML', () => {
    expect(toJson(new Struct('x', { B: () => '<none>', A: 1, M: (_: string) => '' }))).toBe(
      '{"A":1,"B":"\\u003cnone\\u003e"}',
    );
  });
});
